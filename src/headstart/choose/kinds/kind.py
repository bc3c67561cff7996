"""The interface of a kind of head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from headstart.choose.tried_head import Trial, TriedHead
from headstart.heads.head import Head
from headstart.heads.reduce import Reduced

Score: TypeAlias = Callable[[Reduced, Trial, tuple[int, ...]], TriedHead | None]
Fit: TypeAlias = Callable[..., Head]
FitStreamed: TypeAlias = Callable[..., Head]


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
        takes_weights: whether `score` uses `Trial.weights`, and the two fits take `weights_N`, the weight of each item,
            of shape (N,) and mean 1, or None. A kind that does not is not tried if items have weights.
        log_probabilities: whether its scores are log probabilities, up to a constant per item, before they are
            divided by the temperature; least squares gives other scores.
    """

    name: str
    score: Score
    fit: Fit
    fit_streamed: FitStreamed
    takes_weights: bool = False
    log_probabilities: bool = True
