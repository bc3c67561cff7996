"""`--guard`: the classical baseline is returned where it is better than the result beyond chance (do no harm).

The two are compared item by item on items that neither learned from, and that no score of the run is made of:

    head alone     the training items, each left out in turn, on the same folds
    a training     the validation items, by the classical baseline fitted without them

The baseline is returned if the 95% interval of the paired difference (see `evidence.verdict`; with folds it is widened)
lies on its side of 0. Its level is one-sided 2.5% for each result that is as good as the baseline (docs/evidence.md).
The network from scratch needs no rule of its own: a race returns it where it is the best.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart import processes
from headstart.errors import HeadstartError
from headstart.evidence import compared
from headstart.fitting.foreseen import foresee, standing_of
from headstart.fitting.guard import Guard
from headstart.fitting.result import Result
from headstart.fitting.workspace import Workspace
from headstart.metrics import Interval, metric_named
from headstart.runs.foreseen import Standing


def guarded(workspace: Workspace, result: Result) -> Result:
    """A result with what the guard found, which says whether the classical baseline is returned in its place.

    Args:
        workspace: the plan with its features.
        result: the head alone, or a training.
    """
    with workspace.clock.phase("baseline"):
        guard = processes.from_first(lambda: _guard(workspace, result))
    return replace(result, guard=guard)


def again(workspace: Workspace, result: Result, everything: np.ndarray) -> Result:
    """The classical baseline that was returned, learned again from more items.

    Args:
        workspace: the plan with its features.
        result: of which the guard returned the baseline.
        everything: positions of the items.
    """
    assert result.guard is not None  # called where it returned the baseline
    with workspace.clock.phase("baseline"):
        fitted = processes.from_first(lambda: workspace.classical.fit(everything))
    return replace(result, guard=replace(result.guard, fitted=fitted))


def _guard(workspace: Workspace, result: Result) -> Guard:
    try:
        outcome, difference, where = _compared(workspace, result)
        fitted = workspace.classical.fit(result.learned_from) if outcome == "worse" else None
    except HeadstartError as error:
        why = f"--guard: the result is returned, for classical features could not be measured: {error}"
        return Guard("undecided", Interval(None, why=str(error)), "", None, why)
    by = {
        "worse": "they are better than the result beyond chance, so they are returned as the run",
        "undecided": "they are not better than the result beyond chance, so the result is returned",
        "better": "they are worse than the result, which is returned",
    }[outcome]
    reason = (
        f"--guard compared the result with classical features {where}: {_words(workspace, difference)}: {by}."
    )
    return Guard(outcome, difference, where, fitted, reason)


def _words(workspace: Workspace, difference: Interval) -> str:
    """The difference of the result from classical features."""
    from headstart.report.words import difference as between
    from headstart.report.words import lowered, points

    if difference.value is None:
        return difference.why
    key = workspace.targets.task.verdict_metric
    ends = between(difference, key)
    interval = f"95% interval {ends}" if ends else f"no interval: {difference.why}"
    return f"{points(difference.value, key)} of {lowered(metric_named(key).label)} ({interval})"


def _compared(workspace: Workspace, result: Result) -> tuple[Standing, Interval, str]:
    """Outcome and paired difference of the result against the baseline, and on which items."""
    trained, positions, task = result.trained, result.compared_on, workspace.targets.task
    if not result.is_trained:
        found = foresee(workspace, result.choice)
        if found is None:
            return "undecided", Interval(None, why="no item could be left out"), "in training"
        return found.outcome, found.difference, f"on {found.n_items:,} training items left out in folds"
    if trained is None or trained.validation_logits is None or positions is None or not len(positions):
        return "undecided", Interval(None, why="no items were set aside for validation"), "in training"
    without = workspace.classical.fit(result.learned_from if result.raced_on is None else result.raced_on)
    difference = compared(
        workspace.codes[positions],
        task.activated(trained.validation_logits, trained.head.temperature),
        workspace.classical.outputs(without, positions),
        workspace.units(positions),
        task=task,
    )
    where = f"on {len(positions):,} validation items"
    return standing_of(difference, task.verdict_metric), difference, where
