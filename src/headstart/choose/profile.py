"""The depth profile: a ridge probe at every stage, cross-validated on training items.

Legend: N items, D features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.choose.features import StageFeatures
from headstart.choose.kinds.ridge import score as score_ridge
from headstart.choose.tried_head import Trial, TriedHead
from headstart.heads.reduce import Reduced, reduce, standardiser
from headstart.heads.threads import parallel_map
from headstart.tasks import Task


@dataclass(frozen=True)
class ProfileRow:
    """The probe at one stage: cross-validated quality of a ridge head, with its 95% interval."""

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
        reduced = reduce(x_ND, standardiser(x_ND, name=f"stage {features.stages[index]}"))
        return reduced, score_ridge(reduced, trial, (index,))

    return parallel_map(probe, range(len(features.stages)), n_threads)


def profile_row(stage: str, index: int, tried: TriedHead, task: Task) -> ProfileRow:
    """Return the profile row of a probe; its interval is normal, cut to what the score can be."""
    error = tried.standard_error if np.isfinite(tried.standard_error) else 0.0
    score = tried.quality
    low, high = max(task.least_quality, score - 1.96 * error), min(1.0, score + 1.96 * error)
    return ProfileRow(stage, index, score, low, high, error, tried.penalty)
