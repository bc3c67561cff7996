"""A correction of probabilities is exactly what the head holds that it is folded into."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from headstart.heads import LinearHead
from headstart.heads.correction import Correction, clipped_share, scores_of
from headstart.tasks import CLASSIFICATION, MULTILABEL

CORRECTION = Correction(1.7, np.array([0.5, -1.2, 0.0]))


def head(task: Any, spread: float = 1.0) -> LinearHead:
    rng = np.random.default_rng(0)
    arrays = {
        "mean": rng.normal(size=6),
        "scale": rng.uniform(0.5, 2, size=6),
        "weight": spread * rng.normal(size=(3, 6)),
        "bias": rng.normal(size=3),
    }
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    return LinearHead(stages=(0,), temperature=0.8, classes=("a", "b", "c"), task=task, **arrays)


@pytest.mark.parametrize("task", [CLASSIFICATION, MULTILABEL], ids=str)
def test_the_head_gives_the_corrected_probabilities(task: Any) -> None:
    own, x_ND = head(task), np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)
    before = own.outputs(x_ND)
    expected = CORRECTION.outputs(task, scores_of(task, before))
    folded = CORRECTION.folded_into(own)
    np.testing.assert_allclose(folded.outputs(x_ND), expected, atol=2e-6)
    with torch.no_grad():
        exported = folded.module()(torch.from_numpy(x_ND)).numpy()
    np.testing.assert_allclose(exported, expected, atol=2e-6)
    assert np.abs(expected - before).max() > 0.1


@pytest.mark.parametrize("task", [CLASSIFICATION, MULTILABEL], ids=str)
def test_no_correction_changes_nothing_and_two_follow_each_other(task: Any) -> None:
    own, x_ND = head(task), np.random.default_rng(1).normal(size=(20, 6)).astype(np.float32)
    same = Correction.none(3).folded_into(own)
    np.testing.assert_array_equal(same.outputs(x_ND), own.outputs(x_ND))
    twice = CORRECTION.folded_into(CORRECTION.folded_into(own)).outputs(x_ND)
    once = scores_of(task, CORRECTION.folded_into(own).outputs(x_ND))
    np.testing.assert_allclose(twice, CORRECTION.outputs(task, once), atol=2e-6)


def test_probabilities_that_float32_cannot_tell_from_0_and_1_have_finite_scores() -> None:
    sure = np.array([[1.0, 0.0, 0.0]], np.float32)
    for task in (CLASSIFICATION, MULTILABEL):
        scores = scores_of(task, sure)
        assert np.isfinite(scores).all()
        assert np.isfinite(CORRECTION.outputs(task, scores)).all()


def test_the_share_of_probabilities_whose_scores_are_not_known() -> None:
    sure = np.array([[1.0, 0.0], [0.5, 1 - 2**-24]], np.float32)
    assert clipped_share(MULTILABEL, sure) == 0.5
    assert clipped_share(CLASSIFICATION, sure) == 0.25  # log p of 1 is known
    assert clipped_share(MULTILABEL, np.full((4, 2), 1 - 1e-6, np.float32)) == 0
