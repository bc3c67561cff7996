"""How one cut of one network is made: found by watching it, and checked on the first items that pass.

The rule. A pass up to the cut tells the arguments of the stage at the cut and the outermost calls that finished
before. To go on from there the network runs again: those calls answer with placeholders, and the arguments are put
in. Three things must not be lost on the way, and all are found by comparing small passes:
  - calls whose answer has no dimension of items (a bias by relative position, rotary angles) run as they are;
  - arguments that come out right from the inputs kept (attention masks) are left as they come out;
  - where a later stage still uses an early answer or the input itself, that value is kept in the state.
Placeholders are filled with NaN, so that a value that should have been kept can never pass for a number.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_leaves

from headstart.backbone._calls import (
    Action,
    Forward,
    Inputs,
    Recording,
    Stop,
    as_call,
    count_items,
    eval_mode,
    numbered,
    record_until,
    replaced_forwards,
    take_items,
)
from headstart.backbone.state import Layout, Leaf, State, Tree, Unsliceable, compare, describe
from headstart.errors import ArchitectureError

Call = tuple[tuple[Any, ...], dict[str, Any]]


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
    n_items = count_items(inputs)
    seen: dict[int, tuple[Tree, dict[str, Tensor]]] = {}
    actions: dict[nn.Module, dict[int, Action]] = {}
    for position, answer in enumerate(plan.answers):
        if answer.kinds is not None:
            actions.setdefault(answer.module, {})[answer.call_index] = _note(seen, position, answer, n_items)
    actions.setdefault(plan.start, {})[plan.call_index] = _stop
    args, kwargs = as_call(inputs)
    wrappers = {module: numbered(own) for module, own in actions.items()}
    try:
        with torch.no_grad(), eval_mode(modules), replaced_forwards(wrappers):
            root(*args, **kwargs)
    except Stop as stop:
        try:
            return make_state(plan, inputs, stop.call, seen)
        except Unsliceable as reason:
            raise _changed(root, plan, str(reason)) from None
    raise _changed(root, plan, "its stage did not run")


def _changed(root: nn.Module, plan: Plan, reason: str) -> ArchitectureError:
    return ArchitectureError(
        f"cut {plan.cut} of {type(root).__name__} was checked on another batch, and this one runs otherwise: {reason}. "
        "Where modules were replaced since, make the Backbone again; else name other stages."
    )


Seen = dict[int, tuple[Tree, dict[str, Tensor]]]


def _note(seen: Seen, position: int, answer: Answer, n_items: int) -> Action:
    def note(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        output = forward(*args, **kwargs)
        seen[position] = describe_answer(answer, position, output, n_items)
        return output

    return note


def describe_answer(
    answer: Answer, position: int, output: Any, n_items: int
) -> tuple[Tree, dict[str, Tensor]]:
    """Describe what a call before the cut gave, with a copy of its tensors where they are kept."""
    tree = describe(output, n_items, answer.kinds)
    kept = tree.split(output, f"answer.{position}") if answer.kept else {}
    return tree, {name: tensor.clone() for name, tensor in kept.items()}


def _stop(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    raise Stop(args, kwargs)


def make_state(plan: Plan, inputs: Inputs, call: Call, seen: Seen) -> State:
    """Put together the state at a cut from what a pass showed."""
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
    """Go on from a state at a cut to the network's output.

    Args:
        root: the network, its modes as the owner of what is frozen set them; what runs before the cut runs in eval mode.
        modules: all its modules.
        plan: how the cut is made.
        state: what `run_prefix` gave.
        fill: what placeholders hold.
        at_cut: sees the arguments at the cut before any is put in.
        issued: is given the placeholders.
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
    """Answer a call with a placeholder, or with the value kept of it."""

    def reply(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if position is None:
            placeholder = tree.placeholder(state.n_items, fill, state.layout.dense)
            if issued is not None:
                issued.extend(leaf for leaf in tree_leaves(placeholder) if isinstance(leaf, Tensor))
            return placeholder
        return tree.rebuild(state.tensors, f"answer.{position}", state.n_items)

    return reply


def _resumed_inputs(state: State, fill: float) -> Inputs:
    values = {
        name: tree.rebuild(state.tensors, f"input.{name}", state.n_items)
        if kept
        else tree.placeholder(state.n_items, fill, state.layout.dense)
        for name, tree, kept in state.layout.inputs
    }
    return values[""] if list(values) == [""] else values


def make_plan(
    root: nn.Module,
    modules: list[nn.Module],
    cut: int,
    start: tuple[nn.Module, int],
    inputs: Inputs,
    label: str,
) -> Plan:
    """Find how a cut is made and check it on the first and last of the items given.

    Args:
        root: the network.
        modules: all its modules.
        cut: index of the first stage after the cut.
        start: module of that stage and which call of it begins the stage.
        inputs: a batch of real items.
        label: names the cut in an error.

    Raises:
        ArchitectureError: the network cannot be cut here without changing its output.
    """
    last = count_items(inputs) - 1
    two, three = take_items(inputs, [0, last]), take_items(inputs, [0, last, 0])
    try:
        with _probing(), eval_mode(modules):
            first, second = record_until(root, two, *start), record_until(root, three, *start)
            if first is None or second is None:
                raise Unsliceable("its forward never calls that stage")
            plan = Plan(cut, *start, _answers(first, second))
            kinds = _compare_values(first, second)
            args, kwargs = as_call(two)
            expected = root(*args, **kwargs)
            plan = _settle(_Trial(root, modules, plan, two, first, kinds, expected))
            _check_slices(run_prefix(root, modules, plan, two), run_prefix(root, modules, plan, three))
    except Unsliceable as reason:
        raise ArchitectureError(
            f"{type(root).__name__} cannot be cut at {label} without changing its output: {reason}. "
            "Name other stages, or train all of it (--freeze none) or its head only (--freeze all)."
        ) from None
    return plan


@contextmanager
def _probing() -> Iterator[None]:
    """No gradients, versions of tensors counted, and no warnings of torch about placeholders."""
    with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _answers(first: Recording, second: Recording) -> tuple[Answer, ...]:
    """Describe the calls before the cut from passes over two and three items."""
    ours, theirs = first.finished, second.finished
    if [(c.module, c.call_index) for c in ours] != [(c.module, c.call_index) for c in theirs]:
        raise Unsliceable("the modules it calls depend on the number of items")
    answers = []
    for call, other in zip(ours, theirs, strict=True):
        kinds = tuple(compare(call.output, 2, other.output, 3))
        flat, _ = tree_flatten(call.output)
        of_items = [tensor for leaf, tensor in zip(kinds, flat, strict=True) if leaf.kind == "items"]
        kept = any(not tensor.dtype.is_floating_point for tensor in of_items)
        answers.append(Answer(call.module, call.call_index, kinds if of_items else None, kept))
    return tuple(answers)


def _compare_values(first: Recording, second: Recording) -> dict[str, tuple[Leaf, ...]]:
    ours, theirs = named_values(first.args, first.kwargs), named_values(second.args, second.kwargs)
    if set(ours) != set(theirs):
        raise Unsliceable("the arguments of the stage depend on the number of items")
    return {name: tuple(compare(ours[name], 2, theirs[name], 3)) for name in ours}


@dataclass
class _Trial:
    """What trying a plan on two items needs."""

    root: nn.Module
    modules: list[nn.Module]
    plan: Plan
    two: Inputs
    recording: Recording
    kinds: dict[str, tuple[Leaf, ...]]
    expected: Any

    def attempt(self, plan: Plan) -> Plan | Exception:
        """Return the plan with its values settled, or why it fails."""
        try:
            names = self._arguments_to_put_in(plan, math.nan) | self._arguments_to_put_in(plan, 1.0)
            plan = replace(plan, values={name: self.kinds[name] for name in self.kinds if name in names})
            state = self._state(plan)
            output = run_suffix(self.root, self.modules, plan, state)
        except Exception as error:
            return error
        if same(output, self.expected):
            return plan
        return Unsliceable("a later stage uses more than what reaches the cut")

    def _state(self, plan: Plan) -> State:
        seen = {
            position: describe_answer(answer, position, call.output, 2)
            for position, (answer, call) in enumerate(zip(plan.answers, self.recording.finished, strict=True))
            if answer.kinds is not None
        }
        return make_state(plan, self.two, (self.recording.args, self.recording.kwargs), seen)

    def _arguments_to_put_in(self, plan: Plan, fill: float) -> set[str]:
        """Names of the arguments at the cut that do not come out right by themselves."""
        seen: list[Call] = []
        issued: list[Tensor] = []

        def look(call: Call) -> None:
            seen.append(call)
            raise Stop(*call)

        with contextlib.suppress(Stop):
            run_suffix(self.root, self.modules, plan, self._state(plan), fill, look, issued)
        if not plan.dense and any(placeholder._version for placeholder in issued):
            raise Unsliceable("the network writes into a placeholder without memory of its own")
        if not seen:
            raise Unsliceable("the stage does not run again")
        came_out = named_values(*seen[0])
        recorded = named_values(self.recording.args, self.recording.kwargs)
        return {name for name, value in recorded.items() if not identical(came_out.get(name), value)}


def _settle(trial: _Trial) -> Plan:
    """Return the leanest plan that is exact: placeholders only, then with memory, then with values kept."""
    plan = trial.plan
    everything = replace(
        plan,
        dense=True,
        answers=tuple(replace(a, kept=a.kinds is not None) for a in plan.answers),
        inputs_kept=frozenset(named_inputs(trial.two)),
    )
    result: Plan | Exception = Unsliceable("nothing tried")
    for candidate in (plan, replace(plan, dense=True)):
        result = trial.attempt(candidate)
        if isinstance(result, Plan):
            return result
    full = trial.attempt(everything)
    if not isinstance(full, Plan):
        raise Unsliceable(str(full))
    return _drop_what_is_not_needed(trial, full)


def _drop_what_is_not_needed(trial: _Trial, full: Plan) -> Plan:
    plan = full
    for name in full.inputs_kept:
        result = trial.attempt(replace(plan, inputs_kept=plan.inputs_kept - {name}))
        plan = result if isinstance(result, Plan) else plan
    for position, answer in enumerate(trial.plan.answers):
        if answer.kinds is None or answer.kept:
            continue
        answers = list(plan.answers)
        answers[position] = replace(answer, kept=False)
        result = trial.attempt(replace(plan, answers=tuple(answers)))
        plan = result if isinstance(result, Plan) else plan
    return plan


def _check_slices(two: State, three: State) -> None:
    """Hold the items of a small batch to the same items of a larger one."""
    again = three[:2]
    for name, tensor in two.tensors.items():
        if not same(again.tensors[name], tensor, tolerance=1e-3):
            raise Unsliceable("what reaches the cut of an item depends on the other items of its batch")


def same(first: Any, second: Any, tolerance: float = 1e-5) -> bool:
    """Whether two nested values agree within float rounding, relative to the largest magnitude."""
    flat_first, flat_second = tree_flatten(first)[0], tree_flatten(second)[0]
    return len(flat_first) == len(flat_second) and all(
        _same_leaf(a, b, tolerance) for a, b in zip(flat_first, flat_second, strict=True)
    )


def _same_leaf(first: Any, second: Any, tolerance: float) -> bool:
    if not isinstance(first, Tensor) or not isinstance(second, Tensor):
        return isinstance(first, Tensor) == isinstance(second, Tensor)
    if first.shape != second.shape:
        return False
    if not first.dtype.is_floating_point or not first.numel():
        return torch.equal(first, second)
    if first.dtype in (torch.bfloat16, torch.float16):
        tolerance = max(tolerance, 2e-2)
    scale = second.float().nan_to_num().abs().max().item()
    return torch.allclose(
        first.float(), second.float(), rtol=0, atol=tolerance * scale + 1e-12, equal_nan=True
    )


def identical(first: Any, second: Any) -> bool:
    """Whether two nested values agree in every bit."""
    flat_first, spec_first = tree_flatten(first)
    flat_second, spec_second = tree_flatten(second)
    if len(flat_first) != len(flat_second) or str(spec_first) != str(spec_second):
        return False
    for a, b in zip(flat_first, flat_second, strict=True):
        if isinstance(a, Tensor) or isinstance(b, Tensor):
            if not (
                isinstance(a, Tensor) and isinstance(b, Tensor) and a.dtype == b.dtype and torch.equal(a, b)
            ):
                return False
        elif isinstance(b, bool | int | float | str | type(None)) and a != b:
            return False
    return True
