"""Activation checkpointing: trained stages keep only their inputs and run again in the backward pass.

A trained stage's activations are computed twice and held only while its own gradient is taken, which trades
about a third more time for memory (Chen et al. 2016, "Training deep nets with sublinear memory cost").

The libraries' own switches (transformers' gradient_checkpointing_enable, timm's set_grad_checkpointing) run a
block again from outside, through whatever replaced its forward for the first run. A cut does this: it passes
the stored state to the first trained block during one pass only, so the second run would read a placeholder.
Here the function inside the cut is wrapped. It gets the real arguments, in every architecture.

The second run sees what the first did: the same random numbers (dropout) and the same autocast; running
statistics of normalisation layers are set aside during it, so they are updated once per step and not twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


class Staged(Protocol):
    """What checkpointing needs of a backbone: its stages and the modules of each."""

    @property
    def stages(self) -> tuple[str, ...]: ...
    def stage_modules(self, index: int) -> list[nn.Module]: ...


class Checkpointed:
    """Checkpoint the modules of some stages until released.

    Args:
        backbone: the backbone; its modules get a `forward` of their own, no weight or name changes.
        stages: names of the stages whose activations are computed again: those that train.

    Example:
        >>> backbone = Backbone(network)
        >>> checkpointed = Checkpointed(backbone, backbone.stages[2:])
        >>> backbone.suffix(state, 2).sum().backward()
        >>> checkpointed.release()
    """

    def __init__(self, backbone: Staged, stages: Sequence[str]) -> None:
        self.modules: list[nn.Module] = pieces_of(backbone, stages)
        self._before = [module.__dict__.get("forward") for module in self.modules]
        for module in self.modules:
            module.__dict__["forward"] = _Again(module, module.forward)

    def release(self) -> None:
        """Restore the modules' own forward."""
        for module, before in zip(self.modules, self._before, strict=True):
            if isinstance(module.__dict__.get("forward"), _Again):
                del module.__dict__["forward"]
                if before is not None:
                    module.__dict__["forward"] = before
        self.modules, self._before = [], []


class _Again:
    """A module's forward that is run a second time for its gradient."""

    def __init__(self, module: nn.Module, forward: Callable[..., Any]) -> None:
        self.module, self.forward = module, forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return self.forward(*args, **kwargs)
        return checkpoint(
            self.forward,
            *args,
            use_reentrant=False,
            preserve_rng_state=True,
            context_fn=self._contexts,
            **kwargs,
        )

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _statistics_set_aside(self.module)


@contextmanager
def _statistics_set_aside(module: nn.Module) -> Iterator[None]:
    """Let normalisation layers update copies of their running statistics while the block runs."""
    layers = [
        layer
        for layer in module.modules()
        if isinstance(layer, nn.modules.batchnorm._NormBase) and layer.training and layer.track_running_stats
    ]
    originals = [dict(layer._buffers) for layer in layers]
    try:
        for layer in layers:
            for name, buffer in layer._buffers.items():
                layer._buffers[name] = None if buffer is None else buffer.clone()
        yield
    finally:
        for layer, buffers in zip(layers, originals, strict=True):
            layer._buffers.update(buffers)


def pieces_of(backbone: Staged, stages: Sequence[str]) -> list[nn.Module]:
    """The blocks of some stages, each of which runs as one."""
    return [
        piece
        for index, name in enumerate(backbone.stages)
        if name in stages
        for module in backbone.stage_modules(index)
        for piece in _pieces(module)
    ]


def _pieces(module: nn.Module) -> list[nn.Module]:
    """The parts of a stage that are checkpointed one by one: the blocks of a chain, else the module itself.

    A chain of plain layers (convolution, norm, activation) is one part: keeping the input of each of them
    would save nothing. A list of modules has no forward of its own; its members are taken.
    """
    if _is_chain_of_blocks(module):
        return [piece for child in module.children() for piece in _pieces(child)]
    inner = [child for child in module.children() if _is_chain_of_blocks(child)]
    if inner:
        return [piece for child in inner for piece in _pieces(child)]
    if isinstance(module, nn.ModuleList | nn.ModuleDict) and type(module).forward is nn.Module.forward:
        return [piece for child in module.children() for piece in _pieces(child)]
    return [module] if _holds_parameters(module) else []


def _is_chain_of_blocks(module: nn.Module) -> bool:
    """Whether a module is a chain whose links are modules of several layers."""
    links = [child for child in module.children() if _holds_parameters(child)]
    is_chain = type(module) in (nn.Sequential, nn.ModuleList)
    return is_chain and len(links) > 1 and all(any(True for _ in link.children()) for link in links)


def _holds_parameters(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None
