"""Which stage every parameter and buffer belongs to: the one that runs when it is first used.

Found by running the network once under a `TorchFunctionMode`, because neither the order of registration nor
the calls of modules show it: DeBERTa registers its relative embeddings after its layers and uses them before,
without a call of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from headstart.backbone._calls import Action, Forward, Inputs, as_call, numbered, replaced_forwards

Start = tuple[nn.Module, int]


class _FirstUse(TorchFunctionMode):
    """Notes the stage that runs when a tensor is first used."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = 0
        self.stage_of: dict[int, int] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._note(args)
        self._note(kwargs or {})
        return func(*args, **(kwargs or {}))

    def _note(self, value: Any) -> None:
        if isinstance(value, Tensor):
            self.stage_of.setdefault(id(value), self.stage)
        elif isinstance(value, list | tuple):
            for part in value:
                self._note(part)
        elif isinstance(value, dict):
            self._note(list(value.values()))


def trace_owners(
    module: nn.Module, starts: Sequence[Start], inputs: Inputs
) -> tuple[Any, list[int], dict[int, int]]:
    """Run a network once and return the order of its stages and which stage uses which tensor first.

    Args:
        module: the network, in eval mode.
        starts: for each stage from the second on, its module and which call of it begins the stage.
        inputs: a few items.

    Returns:
        The output; the indices of stages in the order they began; id of a parameter or buffer -> stage.
    """
    began: list[int] = []
    actions: dict[nn.Module, dict[int, Action]] = {}
    with _FirstUse() as uses, torch.no_grad():
        for index, (start, call_index) in enumerate(starts, start=1):
            actions.setdefault(start, {})[call_index] = _beginning(uses, began, index)
        args, kwargs = as_call(inputs)
        with replaced_forwards({start: numbered(own) for start, own in actions.items()}):
            output = module(*args, **kwargs)
    tensors = [*module.parameters(), *module.buffers()]
    return output, began, {id(t): uses.stage_of[id(t)] for t in tensors if id(t) in uses.stage_of}


def _beginning(uses: _FirstUse, began: list[int], index: int) -> Action:
    def begin(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        began.append(index)
        uses.stage = index
        return forward(*args, **kwargs)

    return begin


def assign_owners(module: nn.Module, stage_paths: Sequence[str], seen: dict[int, int]) -> dict[str, int]:
    """Give every parameter and buffer of a network its stage.

    Args:
        module: the network.
        stage_paths: module path of each stage.
        seen: id of a tensor -> stage, as traced; may be empty.

    Returns:
        Name -> stage. What was not seen follows its stage's module, then its nearest sibling that was seen,
        then the order of registration.
    """
    tensors = dict(
        [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    )
    order = list(tensors)
    by_path = {name: _by_path(name, stage_paths) for name in order}
    known = {
        name: seen.get(id(tensor), by_path[name])
        for name, tensor in tensors.items()
        if id(tensor) in seen or by_path[name] is not None
    }
    first_registered = next((i for i, name in enumerate(order) if by_path[name]), len(order))
    owners: dict[str, int] = {}
    for position, name in enumerate(order):
        owner = known.get(name)
        if owner is None:
            owner = _of_siblings(name, known)
        if owner is None:
            owner = 0 if position < first_registered else len(stage_paths) - 1
        owners[name] = owner
    return owners


def _by_path(name: str, stage_paths: Sequence[str]) -> int | None:
    """The stage whose module holds the tensor; the first one, if a module is called several times."""
    holders = [(len(path), -index) for index, path in enumerate(stage_paths) if name.startswith(f"{path}.")]
    return -max(holders)[1] if holders else None


def _of_siblings(name: str, known: dict[str, int | None]) -> int | None:
    parent = name.rpartition(".")[0]
    if not parent:
        return None
    siblings = [
        owner for other, owner in known.items() if other.rpartition(".")[0] == parent and owner is not None
    ]
    return min(siblings) if siblings else None
