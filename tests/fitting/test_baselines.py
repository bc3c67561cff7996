"""The baseline that the verdict compares with is chosen on what was learned from, in each fold of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from headstart.fitting.baselines import EACH_FOLD, Baseline, chosen_baseline


def evaluation(n_rounds: int) -> Any:
    """What the choice needs of an evaluation of 12 items."""
    rows = np.array_split(np.arange(12), n_rounds)
    return SimpleNamespace(
        probabilities=np.zeros((12, 2)), rounds=[SimpleNamespace(rows=each) for each in rows]
    )


def test_the_held_out_outputs_have_no_part_in_the_choice() -> None:
    right, wrong = np.eye(2)[np.zeros(12, int)], np.eye(2)[np.ones(12, int)]
    found = chosen_baseline(
        {"majority": Baseline(right, 40, [0.5]), "classical": Baseline(wrong, 40, [0.7])}, evaluation(1)
    )
    assert found.name == "classical" and found.outputs is not wrong
    np.testing.assert_array_equal(found.outputs, wrong)
    assert found.to_json() == {
        "chosen": {"classical": 1},
        "quality": {"majority": 0.5, "classical": 0.7},
    }


def test_each_fold_chooses() -> None:
    first, second = np.full((12, 2), 0.25), np.full((12, 2), 0.75)
    baselines = {
        "majority": Baseline(first, 8, [0.6, 0.5, 0.6]),
        "classical": Baseline(second, 8, [0.5, 0.7, 0.5]),
    }
    found = chosen_baseline(baselines, evaluation(3))
    assert found.name == EACH_FOLD and found.times == {"majority": 2, "classical": 1}
    np.testing.assert_array_equal(found.outputs[:, 0], [0.25] * 4 + [0.75] * 4 + [0.25] * 4)
    baselines["classical"] = Baseline(second, 8, [0.7, 0.7, 0.7])
    assert chosen_baseline(baselines, evaluation(3)).name == "classical"
