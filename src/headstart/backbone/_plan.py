"""How one cut of one network is made, and how a pass stops at it and continues from it.

A pass up to the cut gives the arguments of the stage there. To continue, the network runs again: the outermost
calls that had finished before the cut return placeholders, and the arguments are put in. `_probe` finds
the plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from headstart.backbone._calls import (
    Action,
    Forward,
    Inputs,
    Stop,
    as_call,
    count_items,
    eval_mode,
    numbered,
    replaced_forwards,
)
from headstart.backbone._trees import Leaf, Tree, Unsliceable, describe
from headstart.backbone.state import Layout, State
from headstart.errors import ArchitectureError

Call = tuple[tuple[Any, ...], dict[str, Any]]
Seen = dict[int, tuple[Tree, dict[str, Tensor]]]


@dataclass(frozen=True)
class Answer:
    """One outermost call before the cut.

    Attributes:
        module: the module called.
        call_index: which of its calls in a whole pass.
        kinds: how its output depends on the number of items; None: it has no items and runs as it is.
        kept: whether its own value is kept in the state.
    """

    module: nn.Module
    call_index: int
    kinds: tuple[Leaf, ...] | None
    kept: bool = False


@dataclass(frozen=True)
class Plan:
    """How a cut is made.

    Attributes:
        cut: index of the first stage after the cut.
        start: the module of that stage.
        call_index: which of its calls begins the stage.
        answers: the outermost calls before it, in order.
        values: name of each argument that is put in -> how its leaves depend on the number of items.
        inputs_kept: inputs of floating point that a later stage uses (masks and token ids are always kept).
        dense: placeholders need memory of their own.
    """

    cut: int
    start: nn.Module
    call_index: int
    answers: tuple[Answer, ...] = ()
    values: Mapping[str, tuple[Leaf, ...]] = field(default_factory=dict)
    inputs_kept: frozenset[str] = frozenset()
    dense: bool = False


def named_values(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Give every argument of a call a name: `arg.0`, `kwarg.attention_mask`."""
    return {
        **{f"arg.{i}": value for i, value in enumerate(args)},
        **{f"kwarg.{k}": v for k, v in kwargs.items()},
    }


def run_prefix(root: nn.Module, modules: list[nn.Module], plan: Plan, inputs: Inputs) -> State:
    """Run a network up to a cut and return the state there."""
    seen: Seen = {}
    args, kwargs = as_call(inputs)
    try:
        with torch.no_grad(), eval_mode(modules), _watched(plan, inputs, seen, _stop):
            root(*args, **kwargs)
    except Stop as stop:
        return _state_of_call(root, plan, inputs, stop.call, seen)
    raise _changed(root, plan, "its stage did not run")


@contextmanager
def state_noted(root: nn.Module, plan: Plan, inputs: Inputs) -> Iterator[list[State]]:
    """Note the state at a cut while the network runs past it in the block; it is then the only item of the list.

    Its tensors are copies, since later stages may write into theirs.

    Raises:
        ArchitectureError: the pass differs from the one on which the cut was checked.
    """
    seen: Seen = {}
    noted: list[State] = []

    def note(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        state = _state_of_call(root, plan, inputs, (args, kwargs), seen)
        copies = {name: tensor.clone() for name, tensor in state.tensors.items()}
        noted.append(state.with_tensors(copies, state.n_items))
        return forward(*args, **kwargs)

    with _watched(plan, inputs, seen, note):
        yield noted
    if not noted:
        raise _changed(root, plan, "its stage did not run")


def _watched(plan: Plan, inputs: Inputs, seen: Seen, at_cut: Action) -> AbstractContextManager[None]:
    """Replace the call at the cut by an action; the outputs of the calls before it are noted in `seen`."""
    n_items = count_items(inputs)
    actions: dict[nn.Module, dict[int, Action]] = {}
    for position, answer in enumerate(plan.answers):
        if answer.kinds is not None:
            actions.setdefault(answer.module, {})[answer.call_index] = _note(seen, position, answer, n_items)
    actions.setdefault(plan.start, {})[plan.call_index] = at_cut
    return replaced_forwards({module: numbered(own) for module, own in actions.items()})


def _state_of_call(root: nn.Module, plan: Plan, inputs: Inputs, call: Call, seen: Seen) -> State:
    try:
        return make_state(plan, inputs, call, seen)
    except Unsliceable as reason:
        raise _changed(root, plan, str(reason)) from None


def _changed(root: nn.Module, plan: Plan, reason: str) -> ArchitectureError:
    return ArchitectureError(
        f"cut {plan.cut} of {type(root).__name__} was checked on another batch, and this one runs differently: "
        f"{reason}. "
        "If modules were replaced since, make the Backbone again; else name other stages."
    )


def _note(seen: Seen, position: int, answer: Answer, n_items: int) -> Action:
    def note(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        output = forward(*args, **kwargs)
        seen[position] = describe_answer(answer, position, output, n_items)
        return output

    return note


def describe_answer(
    answer: Answer, position: int, output: Any, n_items: int
) -> tuple[Tree, dict[str, Tensor]]:
    """Describe the output of a call before the cut, with a copy of its tensors if they are kept."""
    tree = describe(output, n_items, answer.kinds)
    kept = tree.split(output, f"answer.{position}") if answer.kept else {}
    return tree, {name: tensor.clone() for name, tensor in kept.items()}


def _stop(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    raise Stop(args, kwargs)


def make_state(plan: Plan, inputs: Inputs, call: Call, seen: Seen) -> State:
    """Put together the state at a cut from the record of a pass."""
    n_items = count_items(inputs)
    tensors: dict[str, Tensor] = {}
    described_inputs = []
    for name, value in named_inputs(inputs).items():
        tree = describe(value, n_items)
        kept = name in plan.inputs_kept or not _is_float(value)
        described_inputs.append((name, tree, kept))
        if kept:
            tensors.update(tree.split(value, f"input.{name}"))
    values = named_values(*call)
    described = []
    for name, kinds in plan.values.items():
        tree = describe(values.get(name), n_items, kinds)
        described.append((name, tree))
        tensors.update(tree.split(values.get(name), name))
    for _, kept_tensors in seen.values():
        tensors.update(kept_tensors)
    answers = tuple(
        (seen[position][0] if position in seen else None, answer.kept)
        for position, answer in enumerate(plan.answers)
    )
    return State(
        n_items, tensors, Layout(plan.cut, tuple(described_inputs), tuple(described), answers, plan.dense)
    )


def named_inputs(inputs: Inputs) -> dict[str, Any]:
    """Inputs by name; a bare tensor is the input named ''."""
    return {"": inputs} if isinstance(inputs, Tensor) else dict(inputs)


def unnamed_inputs(values: dict[str, Any]) -> Inputs:
    """The inverse of `named_inputs`."""
    if list(values) == [""]:
        tensor: Tensor = values[""]
        return tensor
    return values


def _is_float(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype.is_floating_point


def run_suffix(
    root: nn.Module,
    modules: list[nn.Module],
    plan: Plan,
    state: State,
    fill: float = math.nan,
    at_cut: Callable[[Call], None] | None = None,
    issued: list[Tensor] | None = None,
) -> Any:
    """Continue from a state at a cut to the network's output.

    Args:
        root: the network, in the modes that the owner of what is frozen set; the part before the cut runs in
            eval mode.
        modules: all its modules.
        plan: how the cut is made.
        state: of `run_prefix`.
        fill: the value of placeholders.
        at_cut: called with the arguments at the cut before any is put in.
        issued: a list that gets the placeholders.
    """
    layout, n_items = state.layout, state.n_items
    queues: dict[nn.Module, list[Action | None]] = {}
    for position, (answer, (tree, kept)) in enumerate(zip(plan.answers, layout.answers, strict=True)):
        reply = None if tree is None else _reply(state, tree, position if kept else None, fill, issued)
        queues.setdefault(answer.module, []).append(reply)
    resumed = False
    with eval_mode(modules) as restore_modes:

        def resume(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            nonlocal resumed
            resumed = True
            if at_cut is not None:
                at_cut((args, kwargs))
            restore_modes()
            put_in = {name: tree.rebuild(state.tensors, name, n_items) for name, tree in layout.values}
            full = [put_in.pop(f"arg.{i}", value) for i, value in enumerate(args)]
            return forward(
                *full, **{**kwargs, **{name.removeprefix("kwarg."): v for name, v in put_in.items()}}
            )

        queues.setdefault(plan.start, []).append(resume)
        wrappers = {
            module: numbered({i: action for i, action in enumerate(queue) if action is not None})
            for module, queue in queues.items()
        }
        args, kwargs = as_call(_resumed_inputs(state, fill))
        with replaced_forwards(wrappers):
            output = root(*args, **kwargs)
    if not resumed:
        raise _changed(root, plan, "its stage did not run")
    return output


def _reply(
    state: State, tree: Tree, position: int | None, fill: float, issued: list[Tensor] | None
) -> Action:
    """Answer a call with a placeholder, or with the value that was kept."""

    def reply(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if position is None:
            placeholder = tree.placeholder(state.n_items, fill, state.layout.dense)
            if issued is not None:
                issued.extend(leaf for leaf in tree_leaves(placeholder) if isinstance(leaf, Tensor))
            return placeholder
        return tree.rebuild(state.tensors, f"answer.{position}", state.n_items)

    return reply


def _resumed_inputs(state: State, fill: float) -> Inputs:
    values: dict[str, Any] = {
        name: tree.rebuild(state.tensors, f"input.{name}", state.n_items)
        if kept
        else tree.placeholder(state.n_items, fill, state.layout.dense)
        for name, tree, kept in state.layout.inputs
    }
    return unnamed_inputs(values)
