"""Watch and replace the calls of a network's modules while it runs, and restore everything afterwards.

Every tool here works by giving a module a `forward` of its own for the length of a `with` block, so no
architecture needs code of its own, and hooks of other code keep working.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

Inputs: TypeAlias = "Tensor | Mapping[str, Any]"
Forward: TypeAlias = Callable[..., Any]
Wrapper: TypeAlias = Callable[[Forward], Forward]
Action: TypeAlias = Callable[[Forward, tuple[Any, ...], dict[str, Any]], Any]


class Stop(BaseException):
    """Ends a forward pass at the cut; not an Exception, so that no `except Exception` inside keeps it."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.call = (args, kwargs)


def as_call(inputs: Inputs) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the positional and named arguments that hand `inputs` to a network's forward."""
    if isinstance(inputs, Tensor):
        return (inputs,), {}
    return (), dict(inputs)


def count_items(inputs: Inputs) -> int:
    """Return the number of items in `inputs`: the leading size of its first tensor."""
    args, kwargs = as_call(inputs)
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor) and value.ndim:
            return int(value.shape[0])
    raise ValueError("inputs hold no tensor with a leading dimension of items")


def take_items(inputs: Inputs, indices: list[int]) -> Inputs:
    """Return the inputs of the items at `indices`; values without a dimension of items stay as they are."""
    if isinstance(inputs, Tensor):
        return inputs[indices]
    n_items = count_items(inputs)
    return {
        name: value[indices]
        if isinstance(value, Tensor) and value.ndim and value.shape[0] == n_items
        else value
        for name, value in inputs.items()
    }


@contextmanager
def replaced_forwards(wrappers: Mapping[nn.Module, Wrapper]) -> Iterator[None]:
    """Give each module `wrapper(its forward)` as its forward while the block runs.

    Args:
        wrappers: module -> function that takes the module's forward and returns the one to use.
    """
    before: list[tuple[nn.Module, Any]] = []
    try:
        for module, wrap in wrappers.items():
            before.append((module, module.__dict__.get("forward")))
            module.__dict__["forward"] = wrap(module.forward)
        yield
    finally:
        for module, own in before:
            if own is None:
                module.__dict__.pop("forward", None)
            else:
                module.__dict__["forward"] = own


@contextmanager
def eval_mode(modules: list[nn.Module]) -> Iterator[Callable[[], None]]:
    """Put modules in eval mode while the block runs; yields a function that restores their modes earlier."""
    in_training = [module for module in modules if module.training]
    # modes are written past nn.Module's __setattr__, which takes longer than a small layer

    def restore() -> None:
        for module in in_training:
            module.__dict__["training"] = True
        in_training.clear()

    try:
        for module in in_training:
            module.__dict__["training"] = False
        yield restore
    finally:
        restore()


def numbered(actions: Mapping[int, Action]) -> Wrapper:
    """Return a wrapper that does `actions[i](forward, args, kwargs)` in place of a module's call number i."""

    def wrap(forward: Forward) -> Forward:
        n_calls = 0

        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal n_calls
            action = actions.get(n_calls)
            n_calls += 1
            return forward(*args, **kwargs) if action is None else action(forward, args, kwargs)

        return counted

    return wrap


@dataclass
class FinishedCall:
    """One call of a module that ended before the cut."""

    module: nn.Module
    call_index: int
    output: Any


@dataclass
class Recording:
    """The record of a pass up to the cut: the arguments at the cut, and the outermost calls finished before it."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    finished: list[FinishedCall] = field(default_factory=list)


def record_until(root: nn.Module, inputs: Inputs, stop_at: nn.Module, call_index: int) -> Recording | None:
    """Run `root` until call number `call_index` of `stop_at` and return what had finished by then.

    Only outermost calls are recorded: those whose caller is still running at the cut.

    Returns:
        None if that call never comes.
    """
    frames: list[list[FinishedCall]] = [[]]

    def watch(module: nn.Module) -> Wrapper:
        def wrap(forward: Forward) -> Forward:
            n_calls = 0

            def watched(*args: Any, **kwargs: Any) -> Any:
                nonlocal n_calls
                own_index, n_calls = n_calls, n_calls + 1
                if module is stop_at and own_index == call_index:
                    raise Stop(args, kwargs)
                frames.append([])
                output = forward(*args, **kwargs)
                frames.pop()
                frames[-1].append(FinishedCall(module, own_index, output))
                return output

            return watched

        return wrap

    args, kwargs = as_call(inputs)
    wrappers = {module: watch(module) for module in root.modules() if module is not root}
    try:
        with replaced_forwards(wrappers), torch.no_grad():
            root(*args, **kwargs)
    except Stop as stop:
        return Recording(*stop.call, [call for frame in frames for call in frame])
    return None
