"""The penalty of a logistic head on given features, for whoever learns such a head apart from the choice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.choose.head import LONE_PENALTY
from headstart.choose.kinds import LOGISTIC
from headstart.choose.tried_head import Trial
from headstart.heads.reduce import reduce, standardiser


def logistic_penalty(x_ND: NDArray[np.floating], trial: Trial, stages: tuple[int, ...]) -> float:
    """Return the penalty with the smallest log loss by cross-validation, per item.

    Args:
        x_ND: features of the stages, of shape (N, D).
        trial: targets and folds of the N items.
        stages: indices of the stages.
    """
    tried = LOGISTIC.score(reduce(x_ND, standardiser(x_ND)), trial, stages)
    return LONE_PENALTY if tried is None else tried.penalty
