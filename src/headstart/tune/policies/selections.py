"""Which parameters of an open stage train: all of them, or a few of one kind.

A selection is a function from a network to the names of its parameters, with the words that tables, messages
and reports use for them. The catalogue of policies says which policy uses which selection.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headstart.tune.adapters.kinds import is_adapter

if TYPE_CHECKING:  # the command's help reads the catalogue, and must not import torch
    from torch import nn

_BIAS = re.compile(r"bias|\w+_bias|bias_\w+")


@dataclass(frozen=True)
class Selection:
    """The parameters that train in the stages after the cut.

    Attributes:
        name: a short name, kept in checkpoints.
        parameters: gives the names of the selected parameters of a network.
        rate: the modality's usual rate is multiplied by this if no rate is given (docs/recipes.md, Rates).
        words: what the table of stages calls them: "biases alone, 32 of 928".
        missing: what a stage lacks if it has none of them: "the stages layer1 have no bias".
    """

    name: str
    parameters: Callable[[nn.Module], frozenset[str]]
    rate: float
    words: str
    missing: str


def _all(network: nn.Module) -> frozenset[str]:
    return frozenset(name for name, _ in network.named_parameters())


def _norms(network: nn.Module) -> frozenset[str]:
    return frozenset(
        f"{path}.{name}" if path else name
        for path, module in network.named_modules()
        if "norm" in type(module).__name__.lower()
        for name, parameter in module.named_parameters(recurse=False)
        if parameter.ndim == 1
    )


def _biases(network: nn.Module) -> frozenset[str]:
    return frozenset(name for name in _all(network) if _BIAS.fullmatch(name.rpartition(".")[2]))


def _adapters(network: nn.Module) -> frozenset[str]:
    return frozenset(name for name in _all(network) if is_adapter(name))


WHOLE = Selection("whole", _all, 1.0, "parameters", "parameter")
NORM = Selection("norm", _norms, 10.0, "normalisation", "normalisation layer with scales")
BIAS = Selection("bias", _biases, 10.0, "biases", "bias")
ADAPTER = Selection("adapter", _adapters, 5.0, "adapters", "adapter")
