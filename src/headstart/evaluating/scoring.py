"""Score what a run gives for labelled items, and compare it with the run's own score.

Legend: N items, C outputs of the run, K classes of the items that it does not know.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.evidence.verdict import LEAST_ITEMS
from headstart.metrics import Interval, Units, metric_named
from headstart.metrics.independent import independent_difference
from headstart.runs.decision import KEY, scores_of
from headstart.runs.evaluation import Outcome
from headstart.tasks import Targets, joined, label_names, task_named
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.data import Examples
    from headstart.runs.decision import Decision

_OF_THE_RARER = "average_precision"  # of two classes; it may be the other one in other data
_OVER_CLASSES = ("balanced_accuracy", "macro_f1", "auroc", "mean_average_precision")


@dataclass(frozen=True, eq=False)
class Scored:
    """The outputs of a run for labelled items, and its scores.

    Attributes:
        targets: the task with the names of the outputs; of classes C + K of them.
        outputs: (N, C), of classes (N, C + K): one that the run does not know has probability 0.
        codes: labels as numbers, in the form of `Targets.encode`.
        units: what belongs together among the items.
        scores: metric to interval.
        unknown: class or label that the run does not know to its number of items; labels of these are not scored.
        has_known_label: (N,) bool: whether the run knows every label of the item.
    """

    targets: Targets
    outputs: NDArray[np.floating]
    codes: NDArray[np.generic]
    units: Units
    scores: Mapping[str, Interval]
    unknown: Mapping[str, int]
    has_known_label: NDArray[np.bool_]

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
        known = np.array([not (set(kind.counts([label])) & set(unknown)) for label in labels], dtype=bool)
        if kind.many_per_item:
            labels = np.array(
                [joined(set(label_names(label)) - set(unknown)) for label in labels], dtype=object
            )
            targets = Targets(kind, classes)
        else:
            targets = Targets(kind, (*classes, *unknown))
            padding = np.zeros((len(outputs), len(unknown)), outputs.dtype)
            outputs = np.concatenate([outputs, padding], axis=1)
        codes, found = targets.encode(labels), Units.of(units, len(labels))
        return cls(targets, outputs, codes, found, kind.metrics(codes, outputs, found), unknown, known)

    def answers(self, decision: Decision | None) -> NDArray[Any] | None:
        """What the run answers for the items by its threshold, of shape (N,); None if it has none.

        Args:
            decision: of the run.
        """
        return None if decision is None else decision.threshold.answers(self.outputs, self.targets)

    def decided(self, decision: Decision | None, answers: NDArray[Any] | None) -> dict[str, Any]:
        """For metrics.json: the threshold of the run, with what it gives on these items; {} if it has none.

        Args:
            decision: of the run.
            answers: for the items.
        """
        if decision is None or answers is None:
            return {}
        scores = scores_of(self.targets, self.codes, answers, decision.threshold, self.units)
        return {KEY: replace(decision, scores=scores).to_json()}

    def of_known(self, metric: str) -> Interval | None:
        """A score on the items of known classes alone; None if there is none, or there are no others.

        Args:
            metric: its key.
        """
        if self.has_known_label.all() or not self.has_known_label.any():
            return None
        rows = np.flatnonzero(self.has_known_label)
        found = self.targets.task.metrics(self.codes[rows], self.outputs[rows], self.units.of_some(rows))
        return found.get(metric)


def changes(
    scores: Mapping[str, Interval],
    own: Mapping[str, Interval],
    n_items: int,
    n_own: int,
    skipped: Collection[str] = (),
) -> dict[str, Interval]:
    """The change of each metric from the run's own score, where both are known; without interval for few items.

    Args:
        scores: on the new items.
        own: of the run.
        n_items: number of new items.
        n_own: number of items of the own score.
        skipped: metrics that are not compared.
    """
    few = min(n_items, n_own)
    found = {}
    for metric, score in scores.items():
        change = independent_difference(score, own.get(metric) or Interval(None))
        if change.value is None or metric in skipped:
            continue
        if few < LEAST_ITEMS:
            why = f"{counted(few, 'items')}, {LEAST_ITEMS} are needed for a verdict"
            change = Interval(change.value, why=why)
        found[metric] = change
    return found


def not_compared(scored: Scored, own_labels: Collection[str]) -> set[str]:
    """Metrics that say something else on the new items than on the run's own.

    Means over classes, where other classes occur; the log loss of classes that the run does not know, which is as large
    as the smallest probability is small.

    Args:
        scored: the new items.
        own_labels: of the run's own items.
    """
    task = scored.targets.task
    if not task.has_classes:
        return set()
    occurring = {
        name for name, codes in zip(scored.targets.classes, _columns(scored), strict=True) if codes.any()
    }
    found = {_OF_THE_RARER}
    if occurring != set(task.counts(own_labels)) or scored.unknown:
        found |= set(_OVER_CLASSES)
    if scored.unknown and task.one_per_item:
        found |= {"log_loss", "calibration_error"}
    return found


def _columns(scored: Scored) -> NDArray[np.generic]:
    """Whether each item has each class or label, of shape (outputs, N)."""
    if scored.targets.task.many_per_item:
        return np.asarray(scored.codes.T > 0)  # type: ignore[operator]
    return np.asarray(scored.codes == np.arange(scored.targets.n_outputs)[:, None])


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
