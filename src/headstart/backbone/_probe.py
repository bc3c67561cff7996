"""Find how a cut is made by watching the network, and check it on the first items.

Three kinds of values must not be lost, and are found by comparing small passes:
  - calls whose output has no dimension of items (a bias by relative position, rotary angles) run again;
  - arguments that are computed correctly from the kept inputs (attention masks) are not replaced;
  - an early output, or the input itself, that a later stage still uses is kept in the state.
Placeholders are filled with NaN, so that a value that should have been kept can never be mistaken for a number.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

from headstart.backbone._calls import (
    Inputs,
    Recording,
    Stop,
    as_call,
    count_items,
    eval_mode,
    record_until,
    take_items,
)
from headstart.backbone._plan import (
    Answer,
    Call,
    Plan,
    describe_answer,
    make_state,
    named_inputs,
    named_values,
    run_prefix,
    run_suffix,
)
from headstart.backbone._trees import Leaf, Unsliceable, compare
from headstart.backbone.state import State
from headstart.errors import ArchitectureError


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
    """The data for trying a plan on two items."""

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
        """Names of the arguments at the cut that are not computed correctly from the kept inputs."""
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
    """Return the exact plan that keeps least: placeholders only, then with memory, then with values kept."""
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
    """Compare the items of a small batch with the same items of a larger one."""
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
