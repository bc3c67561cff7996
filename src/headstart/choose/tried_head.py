"""One head that is tried, and the score of its out-of-fold logits on the training items.

Kinds and penalties on the same stages are compared by the loss, which is less noisy than the quality. What is
compared between stages is the quality of each item (see `Task.item_quality`). If items have weights, loss and quality
are weighted means; the temperature is fitted without weights (see `heads.calibrate`).

Legend: N items, C outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.heads.calibrate import temperature_for
from headstart.metrics.spread import freedom, share_error, standard_error, weighted_share_error
from headstart.tasks import TargetScale, Task

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TriedHead:
    """One head that was tried.

    Attributes:
        stages: indices of the stages it reads.
        kind: name of its kind (see `choose.kinds`).
        penalty: as its kind understands it.
        quality: cross-validated on training items: accuracy, explained share of the log loss, or R2.
        standard_error: of the quality, items of a group counted together; nan for a single group.
        loss: cross-validated, at the temperature below: log loss or squared error.
        temperature: fitted on the out-of-fold logits; 1 for a quantity.
        logits: out of fold, of shape (N, C); for a quantity its values.
    """

    stages: tuple[int, ...]
    kind: str
    penalty: float
    quality: float
    standard_error: float
    loss: float
    temperature: float
    logits: NDArray[np.floating] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Trial:
    """What every head is scored on.

    Attributes:
        task: what is learned.
        targets: of the N training items, as `Targets.encode` gives them.
        n_outputs: C.
        folds: of shape (N,).
        groups: of shape (N,), or None.
        weights: of the items, of shape (N,), of mean 1; None: all the same.
    """

    task: Task
    targets: NDArray[Any]
    n_outputs: int
    folds: NDArray[np.integer]
    groups: NDArray[np.object_] | None
    weights: Float | None = None

    @cached_property
    def scale(self) -> TargetScale:
        """The unit in which heads are fitted."""
        return self.task.scale_of(self.targets)

    @cached_property
    def ridge_targets(self) -> Float:
        """What a ridge head is fitted to, of shape (N, C)."""
        return self.task.ridge_targets(self.targets, self.n_outputs, self.scale)

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return len(np.unique(self.folds))

    @property
    def freedom(self) -> float:
        """Degrees of freedom of standard errors: the number of units - 1, less if they differ in size."""
        return freedom(self.groups, len(self.targets), self.weights)

    @property
    def step(self) -> float:
        """By how much the quality of an item moves at least, or if items have weights at most; 0 if continuously."""
        if not self.task.one_per_item:
            return 0.0
        return 1.0 if self.weights is None else float(self.weights.max())

    def quality(self, tried: TriedHead) -> Float:
        """How good the out-of-fold answer of a head is for each item, of shape (N,)."""
        outputs = self.task.activated(tried.logits, tried.temperature)
        return self.task.item_quality(outputs, self.targets, self.weights)

    def scored(
        self, kind: str, stages: tuple[int, ...], penalty: float, logits_NC: NDArray[np.floating]
    ) -> TriedHead:
        """Return a head with the scores of its out-of-fold logits.

        Args:
            kind: name of its kind.
            stages: indices of the stages it reads.
            penalty: as its kind understands it.
            logits_NC: of each item by a head fitted without its fold.
        """
        temperature = temperature_for(self.task, logits_NC, self.targets)
        outputs = self.task.activated(logits_NC, temperature)
        quality = self.task.item_quality(outputs, self.targets, self.weights)
        losses = self.task.item_losses(outputs, self.targets)
        return TriedHead(
            stages=stages,
            kind=kind,
            penalty=penalty,
            quality=float(quality.mean()),
            standard_error=self._error(quality),
            loss=float(np.average(losses, weights=self.weights)),
            temperature=temperature,
            logits=logits_NC,
        )

    def _error(self, quality_N: Float) -> float:
        """The standard error of the mean quality; with weights of a ratio of two sums."""
        weights = self.weights
        if weights is None:
            error = share_error if self.task.one_per_item else standard_error
            return error(quality_N, self.groups)
        if self.task.one_per_item:
            return weighted_share_error((quality_N > 0).astype(np.float64), weights, self.groups)
        return standard_error(quality_N + (weights - 1) * (1 - quality_N.mean()), self.groups)
