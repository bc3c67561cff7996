"""`torch.export.export`, quiet, and fast if a network is recurrent."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def trace(
    module: nn.Module, example: tuple[Tensor, ...], dims: tuple[Mapping[int, Any], ...], asserts: bool
) -> torch.export.ExportedProgram:
    """Trace a module in eval mode, without gradients.

    Args:
        module: what is traced.
        example: one tensor per argument.
        dims: for each argument, open axis -> `torch.export.Dim`.
        asserts: let the program check at run time what the trace had to assume about open sizes ("more than
            one window"), instead of refusing the trace.
    """
    shapes = tuple(dict(each) for each in dims)
    with torch.no_grad(), quiet_torch(), _recurrent_shapes_only():
        module(
            *example
        )  # live once: values that a module caches on its first batch must not be part of the trace
        return torch.export.export(
            module,
            example,
            dynamic_shapes=shapes,
            strict=False,
            prefer_deferred_runtime_asserts_over_guards=asserts,
        )


@contextmanager
def quiet_torch() -> Iterator[None]:
    """Keep the tracer's own warnings and log lines from the user."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def _recurrent_shapes_only() -> Iterator[None]:
    """Let the tracer find the shapes of an LSTM's output without walking through its time steps.

    In the program an LSTM is one operation; only its shapes are asked for while tracing. torch finds them by
    running every step of every layer on tensors without data: 10 s for 160 steps of 3 layers.
    """
    from torch._decomp import decompositions

    original = getattr(decompositions, "one_layer_lstm", None)
    if original is None:  # another version of torch finds the shapes in its own way
        yield
        return

    def one_layer_lstm(inp: Tensor, hidden: Any, params: Any, has_biases: bool, reverse: bool = False) -> Any:
        if type(inp) is Tensor:  # real data, not a tracer's placeholder
            return original(inp, hidden, params, has_biases, reverse)
        states = inp.new_empty(inp.shape[0], inp.shape[1], hidden[0].shape[-1])
        return states, (torch.empty_like(hidden[0]), torch.empty_like(hidden[1]))

    decompositions.one_layer_lstm = one_layer_lstm
    try:
        yield
    finally:
        decompositions.one_layer_lstm = original
