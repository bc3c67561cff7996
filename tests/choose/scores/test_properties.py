"""Properties of scores: invariances that must hold, the values of no information, and what a sample is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.choose.scores import SCORES, Sample
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.testing.score import sample_with

seeds = st.integers(0, 10_000)


def rotated(sample: Sample, seed: int) -> Sample:
    width = sample.features.shape[1]
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]
    return replace(sample, features=sample.features @ turn)


@pytest.mark.parametrize("name", ["logme", "hscore", "gbc", "sfda", "parc", "neighbours"])
@given(seeds)
@settings(max_examples=10)
def test_a_rotation_changes_nothing(name: str, seed: int) -> None:
    sample = sample_with(CLASSIFICATION, 0.7, seed=seed)
    score = SCORES[name]
    assert score.of(rotated(sample, seed)) == pytest.approx(score.of(sample), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("name", ["logme_scaled", "hscore", "gbc", "parc", "neighbours"])
@given(seeds, st.sampled_from([1e-3, 0.5, 40.0]))
@settings(max_examples=8)
def test_units_and_a_shift_change_nothing(name: str, seed: int, unit: float) -> None:
    sample = sample_with(CLASSIFICATION, 0.7, seed=seed)
    moved = replace(sample, features=unit * (sample.features + 3.0))
    score = SCORES[name]
    assert score.of(moved) == pytest.approx(score.of(sample), rel=1e-3, abs=1e-3)


@given(seeds, st.sampled_from([2.0**-10, 0.5, 32.0]))
@settings(max_examples=8)
def test_units_change_nothing_for_a_mixture(seed: int, unit: float) -> None:
    """Of powers of two, which are not rounded: else a mixture can end in another of its local optima."""
    sample = sample_with(CLASSIFICATION, 0.7, seed=seed)
    score = SCORES["nleep"]
    assert score.of(replace(sample, features=unit * sample.features)) == pytest.approx(
        score.of(sample), abs=1e-3
    )


@pytest.mark.parametrize("task", [CLASSIFICATION, MULTILABEL, REGRESSION], ids=str)
@given(seeds)
@settings(max_examples=10)
def test_units_of_single_features_do_not_change_standardised_logme(task: object, seed: int) -> None:
    sample = sample_with(task, 0.7, seed=seed)  # type: ignore[arg-type]
    units = np.exp(np.random.default_rng(seed).uniform(-3, 3, size=8))
    score = SCORES["logme_scaled"]
    assert score.of(replace(sample, features=sample.features * units)) == pytest.approx(
        score.of(sample), abs=1e-4
    )


@pytest.mark.parametrize("name", list(SCORES))
@given(seeds)
@settings(max_examples=5)
def test_class_numbers_are_only_names(name: str, seed: int) -> None:
    sample = sample_with(CLASSIFICATION, 0.7, seed=seed)
    renamed = replace(sample, targets=np.array([7, 11, 300])[sample.targets])
    assert SCORES[name].of(renamed) == pytest.approx(SCORES[name].of(sample), abs=1e-12)


def test_values_without_information() -> None:
    """What the docstrings promise for features that are all equal and upstream probabilities that are all equal."""
    codes = np.array([0] * 10 + [1] * 10 + [2] * 20)
    sample = Sample(np.full((40, 6), 2.0), codes, probabilities=np.full((40, 4), 0.25))
    entropy = -(0.25 * np.log(0.25) * 2 + 0.5 * np.log(0.5))
    for name in ("leep", "nce", "nleep"):
        assert SCORES[name].of(sample) == pytest.approx(-entropy), name
    assert SCORES["hscore"].of(sample) == 0.0
    assert SCORES["parc"].of(sample) == 0.0
    assert SCORES["gbc"].of(sample) == -6.0
    assert SCORES["sfda"].of(sample) == pytest.approx(0.25**2 * 2 + 0.5**2)
    expected = (20 * 9 / 39 + 20 * 19 / 39) / 40
    assert SCORES["neighbours"].of(sample) == pytest.approx(expected)
    zero = replace(sample, features=np.zeros((40, 6)))
    noise = [-0.5 * (np.log(2 * np.pi) + 1 + np.log((codes == code).mean())) for code in range(3)]
    assert SCORES["logme"].of(zero) == pytest.approx(np.mean(noise))


@pytest.mark.parametrize("name", ["probe", "probe_loss"])
def test_a_probe_that_cannot_hold_out_is_the_constant_answer(name: str) -> None:
    sample = Sample(np.random.default_rng(0).normal(size=(9, 4)), np.arange(9))
    assert SCORES[name].of(sample) == pytest.approx(1 / 9 if name == "probe" else -np.log(9))
    equal = replace(sample, targets=np.zeros(9), task=REGRESSION)
    assert SCORES[name].of(equal) == (0.0 if name == "probe" else -1.0)


def test_a_large_sample_keeps_the_shares_of_the_classes() -> None:
    codes = np.array([0] * 300 + [1] * 100)
    sample = Sample(np.arange(400.0)[:, None], codes, groups=np.arange(400))
    part = sample.at_most(40)
    assert np.bincount(part.targets).tolist() == [30, 10]
    assert (part.features[:, 0] == part.groups).all()
    assert sample.at_most(400) is sample


def test_which_scores_apply() -> None:
    def named(task: object, has: bool) -> set[str]:
        return {name for name, score in SCORES.items() if score.applies(task, has_probabilities=has)}  # type: ignore[arg-type]

    everywhere = {"logme", "logme_scaled", "probe", "probe_loss"}
    assert named(REGRESSION, True) == named(MULTILABEL, True) == everywhere
    assert named(CLASSIFICATION, True) == set(SCORES)
    assert named(CLASSIFICATION, False) == set(SCORES) - {"leep", "nce"}
