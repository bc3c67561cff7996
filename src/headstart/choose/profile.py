"""The depth profile: a ridge probe at every stage, cross-validated on training items.

Legend: N items, D features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.choose.features import StageFeatures, described
from headstart.choose.kinds.ridge import score as score_ridge
from headstart.choose.tried_head import Trial, TriedHead
from headstart.evidence import cross_validation_factor
from headstart.heads.reduce import Reduced, reduce, standardiser
from headstart.heads.threads import parallel_map
from headstart.metrics.bounds import t_quantile
from headstart.metrics.spread import is_known
from headstart.tasks import Task


@dataclass(frozen=True)
class ProfileRow:
    """The probe at one stage: cross-validated quality of a ridge head, with its 95% interval.

    Attributes:
        stage: name.
        index: of the stage.
        score: accuracy, explained share of the log loss, or R2.
        low, high: of the interval; nan below 3 units.
        standard_error: nan for a single unit.
        penalty: of the ridge head.
    """

    stage: str
    index: int
    score: float
    low: float
    high: float
    standard_error: float
    penalty: float


def probe_stages(
    features: StageFeatures, trial: Trial, n_threads: int | None
) -> list[tuple[Reduced, TriedHead]]:
    """Rotate every stage's features and score a ridge probe on them."""

    def probe(index: int) -> tuple[Reduced, TriedHead]:
        x_ND = features.stage(index)
        reduced = reduce(x_ND, standardiser(x_ND, name=described(features, (index,))))
        return reduced, score_ridge(reduced, trial, (index,))

    return parallel_map(probe, range(len(features.stages)), n_threads)


def profile_row(stage: str, index: int, tried: TriedHead, trial: Trial) -> ProfileRow:
    """Return the profile row of a probe.

    Args:
        stage: name.
        index: of the stage.
        tried: the probe.
        trial: what it was scored on.
    """
    error = tried.standard_error * cross_validation_factor(trial.n_folds)
    low, high = interval_around(tried.quality, error, trial.freedom, trial.task)
    return ProfileRow(stage, index, tried.quality, low, high, tried.standard_error, tried.penalty)


def interval_around(quality: float, standard_error: float, freedom: float, task: Task) -> tuple[float, float]:
    """Return the 95% interval of a quality by Student's t, cut to what it can be; nan below 3 units."""
    half = t_quantile(freedom) * standard_error if is_known(freedom) else float("nan")
    return float(np.maximum(quality - half, task.least_quality)), float(np.minimum(quality + half, 1.0))
