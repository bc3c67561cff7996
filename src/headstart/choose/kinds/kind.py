"""The interface of a kind of head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from headstart.choose.tried_head import Trial, TriedHead
from headstart.heads.head import Head
from headstart.heads.reduce import Reduced, Rows
from headstart.tasks import Targets

Score: TypeAlias = Callable[[Reduced, Trial, tuple[int, ...]], TriedHead | None]
Fit: TypeAlias = Callable[[TriedHead, Reduced, NDArray[Any], Targets], Head]
FitStreamed: TypeAlias = Callable[[TriedHead, Reduced, Rows, NDArray[Any], Targets], Head]


@dataclass(frozen=True)
class HeadKind:
    """One kind of head: three functions on arrays.

    Attributes:
        name: as `TriedHead.kind` has it.
        score: takes the rotated features of some stages, the trial and the stages' indices; returns the best
            head by cross-validation on the folds of the trial, or None if the kind does not suit the task or
            the work would be too much.
        fit: takes a tried head, the rotated features it was scored on, the encoded targets and the task with its
            names; returns the head on raw features.
        fit_streamed: takes a head that was scored on a sample, the rotated features of the sample, the raw
            features of all items (read by slices of rows), their encoded targets and the task with its names;
            returns the head on raw features.
        log_probabilities: whether its scores are log probabilities, up to a constant per item, before they are
            divided by the temperature; least squares gives other scores.
    """

    name: str
    score: Score
    fit: Fit
    fit_streamed: FitStreamed
    log_probabilities: bool = True
