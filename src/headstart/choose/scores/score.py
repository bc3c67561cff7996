"""The interface of a transferability score: how well a source's vectors fit the targets, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headstart.choose.scores.sample import Sample
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, Task

CLASSES_ONLY = (CLASSIFICATION.name,)
ALL_TASKS = (CLASSIFICATION.name, MULTILABEL.name, REGRESSION.name)


@dataclass(frozen=True)
class Score:
    """One transferability score. Larger is better, always.

    Attributes:
        name: its key.
        label: what it is called in tables.
        compute: from a sample to a finite number; a sample without any information gets the value of no information.
        tasks: names of the tasks that it applies to.
        needs_probabilities: whether it needs the upstream classifier's probabilities; else it reads the features.
        n_most: of a larger set, a sample of this number of items is scored.
        folds: whether items are drawn into folds, so that their order has an effect.
    """

    name: str
    label: str
    compute: Callable[[Sample], float]
    tasks: tuple[str, ...] = CLASSES_ONLY
    needs_probabilities: bool = False
    n_most: int = 5_000
    folds: bool = False

    def applies(self, task: Task, *, has_probabilities: bool) -> bool:
        """Whether it can be computed for a task and a source."""
        return task.name in self.tasks and (has_probabilities or not self.needs_probabilities)

    def of(self, sample: Sample) -> float:
        """Return the score of a sample; of a large one, that of a seeded, stratified part.

        Args:
            sample: of a task that the score applies to, with probabilities if it needs them.
        """
        return float(self.compute(sample.at_most(self.n_most)))
