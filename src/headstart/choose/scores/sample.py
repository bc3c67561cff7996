"""What a score is computed from: labelled items with the vectors that a source gives for them.

Legend: N items, D features, C outputs, Z upstream classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.choose.kinds import KINDS
from headstart.choose.sampling import stratified_sample
from headstart.choose.tried_head import Trial, TriedHead
from headstart.data.splits import fold_indices
from headstart.errors import DataError
from headstart.heads.reduce import reduce, standardiser
from headstart.heads.threads import single_threaded
from headstart.tasks import CLASSIFICATION, Task

Float = NDArray[np.float64]
N_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Sample:
    """Labelled items with the vectors of one source.

    Attributes:
        features: of shape (N, D), finite.
        targets: as `Targets.encode` gives them: class numbers (N,), 0 and 1 (N, C), or values (N, 1) or (N,).
        task: what is learned.
        probabilities: of the source's upstream classifier, of shape (N, Z), rows adding up to 1; None: it has none.
        groups: of shape (N,), what cross-validation keeps together; None: every item is on its own.
        seed: of folds, of samples of a large set and of mixtures.
    """

    features: NDArray[np.floating]
    targets: NDArray[Any]
    task: Task = CLASSIFICATION
    probabilities: NDArray[np.floating] | None = None
    groups: NDArray[Any] | None = field(default=None, repr=False)
    seed: int = 0

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """Class numbers of shape (N,), counted over the classes that occur: 0 to C - 1."""
        codes = np.unique(self.targets, return_inverse=True)[1]
        return np.asarray(codes.reshape(-1), dtype=np.int64)

    @property
    def n_classes(self) -> int:
        """C, the number of classes that occur."""
        return int(self.codes.max()) + 1

    @cached_property
    def columns(self) -> Float:
        """Targets of shape (N, C): 0 and 1 for each class that occurs or for each label, or values."""
        if self.task.one_per_item:
            return np.eye(self.n_classes)[self.codes]
        return np.asarray(self.targets, dtype=np.float64).reshape(len(self), -1)

    @property
    def matrix(self) -> NDArray[Any]:
        """Targets as a task takes them: class numbers (N,), 0 and 1 (N, C), or values (N, 1)."""
        return self.codes if self.task.one_per_item else self.columns

    @cached_property
    def head(self) -> TriedHead | None:
        """The best linear head by cross-validation; None if nothing can be held out or all targets are equal."""
        if (self.matrix == self.matrix[0]).all():
            return None
        try:
            folds = fold_indices(self.task.strata(self.matrix), self.groups, N_FOLDS, self.seed)
        except DataError:
            return None
        trial = Trial(self.task, self.matrix, self.columns.shape[1], folds, self.groups)
        with single_threaded():
            reduced = reduce(self.features, standardiser(self.features))
            heads = [kind.score(reduced, trial, (0,)) for kind in KINDS.values()]
        return min((head for head in heads if head is not None), key=lambda head: head.loss)

    def at_most(self, n_most: int) -> Sample:
        """Return the sample itself, or a part of it in which every class, set of labels or range has its share."""
        if len(self) <= n_most:
            return self
        rows = stratified_sample(self.task.strata(self.matrix), n_most, self.seed)
        return replace(
            self,
            features=self.features[rows],
            targets=self.targets[rows],
            probabilities=None if self.probabilities is None else self.probabilities[rows],
            groups=None if self.groups is None else self.groups[rows],
        )
