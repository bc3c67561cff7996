"""What was returned in each fold is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.fitting.evaluation import Evaluation, Returned, Round

NOTHING: Any = None  # features, which are not read


@pytest.mark.parametrize("n_folds", [0, 3])
def test_what_was_returned_is_counted_over_folds(n_folds: int) -> None:
    kinds: tuple[Returned, ...] = ("classical", "pretrained", "classical")
    rows = np.arange(3)
    rounds = [Round(rows, rows[k : k + 1], 1.0, True, NOTHING, kind) for k, kind in enumerate(kinds)]
    outputs = np.zeros((3, 2))
    folds = rows if n_folds else None
    evaluation = Evaluation(rows, outputs, outputs, outputs, rounds, folds)
    assert evaluation.returned_in_folds == ({"classical": 2, "pretrained": 1} if n_folds else {})
