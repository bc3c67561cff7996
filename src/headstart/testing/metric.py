"""What every metric must satisfy: it equals a plain version of itself, and its interval and direction are right.

Legend: N items, C outputs.

Example:
    >>> def accuracy(targets, outputs):
    ...     return (outputs.argmax(axis=1) == targets).mean()
    >>> check_metric("accuracy", {"classification": accuracy})
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headstart.metrics import Interval, Metric, metric_named
from headstart.tasks import TASKS, Task
from headstart.testing.close import require

TOLERANCE = 1e-6  # relative to the value

Plain: TypeAlias = Callable[[NDArray[Any], NDArray[np.floating]], float | None]
Compute: TypeAlias = Callable[[NDArray[Any], NDArray[np.floating], NDArray[np.object_] | None], Interval]


def check_metric(metric: str | Metric, plain: Mapping[str, Plain], *, compute: Compute | None = None) -> None:
    """Check a metric on small sets of items: many and few, with ties, absent classes and units.

    Args:
        metric: its key in the catalogue, or its row.
        plain: by the name of each task that has the metric, the shortest way to compute it, such as a function
            of scikit-learn: it takes targets, as `Targets.encode` gives them, and outputs of shape (N, C), and
            returns the value; None if it is not defined.
        compute: the metric of targets, outputs and units, if it is not among the metrics of a task; None: it is.

    Raises:
        AssertionError: a check fails; the message says which, on which items and by how much.
    """
    row = metric_named(metric) if isinstance(metric, str) else metric
    _check_row(row)
    lacking = set(row.tasks) - set(plain)
    require(not lacking, f"{row.key}: give a plain version for {', '.join(sorted(lacking))} too")
    for name, version in plain.items():
        task = TASKS[name]
        measure = compute or _among_those_of(task, row.key)
        for case in _cases(task):
            where = f"{row.key} of {name}, {case.name}"
            found = measure(case.targets, case.outputs, case.units)
            if case.units is None or not row.by_units:
                _check_value(row, found, version(case.targets, case.outputs), where)
            _check_order(found, measure, case, where)
        _check_direction(row, measure, task)
        if compute is None:
            _check_units(row, measure, task)


def _among_those_of(task: Task, key: str) -> Compute:
    """A metric as the task computes it with all others; one that it leaves out is not defined."""

    def compute(
        targets: NDArray[Any], outputs: NDArray[np.floating], units: NDArray[np.object_] | None
    ) -> Interval:
        found = task.metrics(targets, outputs, units)
        return found.get(key, Interval(None))

    return compute


def _check_row(row: Metric) -> None:
    """The row of the catalogue can be shown and stored."""
    require(
        re.fullmatch("[a-z][a-z0-9_]*", row.key) is not None, f"{row.key!r} is not a key such as 'log_loss'"
    )
    require(bool(row.label) and bool(row.hint), f"{row.key}: label and hint are for a reader; one is empty")
    unknown = set(row.tasks) - set(TASKS)
    require(not unknown, f"{row.key}: there is no task {', '.join(sorted(unknown))}")


def _check_value(row: Metric, found: Interval, expected: float | None, where: str) -> None:
    """The value is that of the plain version, not defined if that is not defined, and inside its interval."""
    if expected is None or not np.isfinite(expected):
        require(found.value is None, f"{where}: {found.value} where it is not defined; it must be None")
        return
    require(found.value is not None, f"{where}: not defined, expected {expected:.6g}")
    require(isinstance(found.value, float), f"{where}: {type(found.value).__name__}, which JSON cannot hold")
    value = _number(found)
    difference = abs(value - expected)
    require(
        difference <= TOLERANCE * max(1.0, abs(expected)),
        f"{where}: {value:.8g}, and the plain version gives {expected:.8g}",
    )
    require(row.form != "percent" or 0 <= value <= 1, f"{where}: {value:.3g} cannot be shown in percent")
    require((found.low is None) == (found.high is None), f"{where}: only one end of the interval is known")
    if found.low is not None and found.high is not None:
        require(
            found.low <= value <= found.high, f"{where}: the interval does not contain the value: {found}"
        )


def _check_order(found: Interval, measure: Compute, case: _Case, where: str) -> None:
    """The order of the items has no effect; it is computed without chance."""
    again = measure(case.targets, case.outputs, case.units)
    require(again == found, f"{where}: computed again, it is {again}, it was {found}")
    order = np.random.default_rng(5).permutation(len(case.targets))
    units = None if case.units is None else case.units[order]
    other = measure(case.targets[order], case.outputs[order], units)
    require(
        (other.value is None) == (found.value is None), f"{where}: defined or not by the order of the items"
    )
    difference = abs(_number(other) - _number(found))
    require(
        found.value is None or difference <= TOLERANCE * max(1.0, abs(found.value)),
        f"{where}: it changes by {difference:.3g} with the order of the items",
    )


def _check_direction(row: Metric, measure: Compute, task: Task) -> None:
    """The right answers score better than answers at random."""
    case = next(case for case in _cases(task) if case.right is not None)
    assert case.right is not None  # asked for above
    right, random = (_number(measure(case.targets, outputs, None)) for outputs in (case.right, case.outputs))
    gain = right - random if row.better == "higher" else random - right
    require(
        gain > 0,
        f"{row.key} of {task}: right answers have {right:.3g} and others {random:.3g}; "
        f"better is {row.better!r}",
    )


def _check_units(row: Metric, measure: Compute, task: Task) -> None:
    """Items of one unit are counted together: a single unit has no interval, and it says why."""
    case = next(_cases(task))
    alone = np.full(len(case.targets), "g", dtype=object)
    found = measure(case.targets, case.outputs, alone)
    plain = measure(case.targets, case.outputs, None)
    require(
        found.low is None and found.high is None,
        f"{row.key} of {task}: a single unit has no interval, got {found}: count the items of a unit together",
    )
    require(bool(found.why), f"{row.key} of {task}: an interval that is missing must say why")
    difference = abs(_number(found) - _number(plain))
    require(
        row.by_units or difference <= TOLERANCE,
        f"{row.key} of {task}: the value changes by {difference:.3g} with units",
    )


def _number(score: Interval) -> float:
    return np.nan if score.value is None else float(score.value)


@dataclass(frozen=True, eq=False)
class _Case:
    """Some items.

    Attributes:
        name: what is special about them.
        targets: as `Targets.encode` gives them.
        outputs: of shape (N, C), float32.
        units: of shape (N,), or None.
        right: outputs that are right, where `outputs` are hardly better than random.
    """

    name: str
    targets: NDArray[Any]
    outputs: NDArray[np.float32]
    units: NDArray[np.object_] | None = None
    right: NDArray[np.float32] | None = None


def _cases(task: Task) -> Iterator[_Case]:
    if task.one_per_item:
        yield from _of_classes()
    elif task.many_per_item:
        yield from _of_labels()
    else:
        yield from _of_values()


def _few(p: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of a few values, none of them 0 or 1."""
    return np.asarray(np.clip(np.round(4 * p) / 4, 0.125, 0.875), dtype=np.float32)


def _units(n_items: int) -> NDArray[np.object_]:
    return np.array([f"g{index // 3}" for index in range(n_items)], dtype=object)


def _of_classes() -> Iterator[_Case]:
    random = np.random.default_rng(0)

    def outputs(n_items: int, n_classes: int) -> NDArray[np.float32]:
        scores = np.exp(random.normal(size=(n_items, n_classes)))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True), dtype=np.float32)

    for n_classes in (2, 3):
        targets = np.concatenate([np.arange(n_classes), random.integers(0, n_classes, 57)])
        p_NC = outputs(len(targets), n_classes)
        right = np.eye(n_classes, dtype=np.float32)[targets]
        yield _Case(f"{n_classes} classes", targets, p_NC, right=right)
        yield _Case(f"{n_classes} classes in units", targets, p_NC, _units(len(targets)))
    rare = (np.arange(40) % 10 == 0).astype(np.int64)
    yield _Case("a rare class", rare, outputs(40, 2))
    ties = np.stack([_few(outputs(40, 2)[:, 1])] * 2, axis=1)
    yield _Case("equal probabilities", np.arange(40) % 2, np.abs(np.array([1, 0], np.float32) - ties))
    yield _Case("a class without items", np.arange(12) % 2, outputs(12, 3))
    yield _Case("items of one class", np.zeros(6, dtype=np.int64), outputs(6, 2))
    yield _Case("one item", np.array([1]), outputs(1, 2))


def _of_labels() -> Iterator[_Case]:
    random = np.random.default_rng(1)
    y = (random.random((60, 3)) < (0.2, 0.5, 0.7)).astype(np.float32)
    p = random.random((60, 3)).astype(np.float32)
    yield _Case("three labels", y, p, right=y)
    yield _Case("three labels in units", y, p, _units(60))
    yield _Case("equal probabilities", y, _few(p))
    yield _Case("a label that no item has", y * np.array([1, 0, 1], np.float32), p)
    yield _Case("no labels", 0 * y, p)
    yield _Case("one item", y[:1], p[:1])


def _of_values() -> Iterator[_Case]:
    random = np.random.default_rng(2)
    y = (50 + 7 * random.normal(size=(60, 1))).astype(np.float32)
    guess = (50 + 7 * random.normal(size=(60, 1))).astype(np.float32)
    yield _Case("values", y, guess, right=y)
    yield _Case("values in units", y, guess, _units(60))
    yield _Case("equal values", np.round(y / 5), np.round(guess / 5))
    yield _Case("a constant target", np.full((8, 1), 3.0, np.float32), guess[:8])
    yield _Case("a constant answer", y[:8], np.full((8, 1), 3.0, np.float32))
    yield _Case("one item", y[:1], guess[:1])
