"""One head that is tried, and the score of its out-of-fold logits on the training items.

Kinds and penalties on the same stages are compared by the loss, which is less noisy than the quality. What is
compared between stages is the quality of each item (see `Task.item_quality`).

Legend: N items, C outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.heads.calibrate import temperature_for
from headstart.metrics.spread import freedom, share_error, standard_error
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
    """

    task: Task
    targets: NDArray[Any]
    n_outputs: int
    folds: NDArray[np.integer]
    groups: NDArray[np.object_] | None

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
        return freedom(self.groups, len(self.targets))

    def quality(self, tried: TriedHead) -> Float:
        """How good the out-of-fold answer of a head is for each item, of shape (N,)."""
        outputs = self.task.activated(tried.logits, tried.temperature)
        return self.task.item_quality(outputs, self.targets)

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
        quality = self.task.item_quality(outputs, self.targets)
        error = share_error if self.task.one_per_item else standard_error
        return TriedHead(
            stages=stages,
            kind=kind,
            penalty=penalty,
            quality=float(quality.mean()),
            standard_error=error(quality, self.groups),
            loss=float(self.task.item_losses(outputs, self.targets).mean()),
            temperature=temperature,
            logits=logits_NC,
        )
