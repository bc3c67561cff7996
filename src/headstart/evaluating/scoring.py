"""Score what a run gives for labelled items, and compare it with the run's own score.

Legend: N items, C outputs of the run, K classes of the items that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headstart.evidence.verdict import LEAST_ITEMS
from headstart.metrics import Interval, Units, metric_named
from headstart.metrics.independent import independent_difference
from headstart.runs.evaluation import Outcome
from headstart.tasks import Targets, task_named
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.data import Examples

_NOT_COMPARED = ("average_precision",)  # of the rarer class, which may be another one in other data


@dataclass(frozen=True, eq=False)
class Scored:
    """The outputs of a run for labelled items, and its scores.

    Attributes:
        targets: the task with the names of C + K outputs.
        outputs: (N, C + K); a class that the run does not know has probability 0.
        codes: labels as numbers, in the form of `Targets.encode`.
        units: what belongs together among the items.
        scores: metric to interval.
        unknown: class or label that the run does not know to its number of items.
        is_known: (N,) bool: whether the run knows every label of the item.
    """

    targets: Targets
    outputs: NDArray[np.floating]
    codes: NDArray[np.generic]
    units: Units
    scores: Mapping[str, Interval]
    unknown: Mapping[str, int]
    is_known: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        examples: Examples,
        units: NDArray[np.generic] | None,
        outputs: NDArray[np.floating],
        classes: tuple[str, ...],
        task: str,
    ) -> Scored:
        """Score outputs.

        Args:
            examples: N items, all with a label.
            units: what belongs together, of shape (N,); None: every item is a unit of its own.
            outputs: what the run gives for them, of shape (N, C).
            classes: of the run.
            task: its name.
        """
        kind, labels = task_named(task), np.asarray(examples.labels)
        counts = kind.counts(labels)
        unknown = {name: counts[name] for name in kind.names_in(labels) if name not in classes}
        targets = Targets(kind, (*classes, *unknown))
        padding = np.zeros((len(outputs), len(unknown)), outputs.dtype)
        outputs = np.concatenate([outputs, padding], axis=1)
        codes, found = targets.encode(labels), Units.of(units, len(labels))
        is_known = np.ones(len(labels), dtype=bool)
        if unknown:
            columns = np.arange(len(classes), len(targets.classes))
            is_known = np.asarray(
                codes < len(classes) if kind.one_per_item else ~codes[:, columns].any(axis=1)
            )
        return cls(targets, outputs, codes, found, kind.metrics(codes, outputs, found), unknown, is_known)

    def of_known(self, metric: str) -> Interval | None:
        """A score on the items of known classes alone; None if there is none, or there are no others.

        Args:
            metric: its key.
        """
        if self.is_known.all() or not self.is_known.any():
            return None
        rows = np.flatnonzero(self.is_known)
        found = self.targets.task.metrics(self.codes[rows], self.outputs[rows], self.units.of_some(rows))
        return found.get(metric)


def changes(
    scores: Mapping[str, Interval], own: Mapping[str, Interval], n_items: int, n_own: int
) -> dict[str, Interval]:
    """The change of each metric from the run's own score, where both are known; without interval for few items.

    Args:
        scores: on the new items.
        own: of the run.
        n_items: number of new items.
        n_own: number of items of the own score.
    """
    few = min(n_items, n_own)
    found = {}
    for metric, score in scores.items():
        change = independent_difference(score, own.get(metric) or Interval(None))
        if change.value is None or metric in _NOT_COMPARED:
            continue
        if few < LEAST_ITEMS:
            why = f"{counted(few, 'items')}, {LEAST_ITEMS} are needed for a verdict"
            change = Interval(change.value, why=why)
        found[metric] = change
    return found


def outcome_of(metric: str, change: Interval | None) -> Outcome:
    """Whether the run does better or worse than on its own items, beyond chance.

    Args:
        metric: its key.
        change: of it; None if there is none.
    """
    if change is None:
        return ""
    if change.low is None or change.high is None or change.low <= 0 <= change.high:
        return "undecided"
    return "better" if (change.low > 0) == (metric_named(metric).better == "higher") else "worse"
