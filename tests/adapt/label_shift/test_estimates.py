"""Class shares under pure label shift: recovered, with intervals that hold them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from headstart.adapt import Domains
from headstart.adapt.label_shift import estimate, estimate_shares, predict
from headstart.adapt.label_shift.bbse import bbse_shares, soft_confusion
from headstart.adapt.label_shift.calibration import calibrate
from headstart.adapt.label_shift.em import em_shares
from headstart.errors import DataError
from shifted_domains import shifted

SOURCE, TARGET = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
MEANS = 1.5 * np.eye(3)


def drawn(shares: np.ndarray, n_items: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The exact logits of a source with shares SOURCE on items of Gaussian classes, and their classes."""
    random = np.random.default_rng(seed)
    codes = random.choice(3, n_items, p=shares)
    x = MEANS[codes] + random.normal(size=(n_items, 3))
    return x @ MEANS.T + np.log(SOURCE), codes


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "N_RESAMPLES", 25)


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_shares_are_recovered(method: str) -> None:
    (source, codes), (target, _) = drawn(SOURCE, 3000, 0), drawn(TARGET, 3000, 1)
    found = estimate_shares(source, codes, target, method)  # type: ignore[arg-type]
    assert np.abs(found.value_C - TARGET).max() < 0.03
    assert found.value_C.sum() == pytest.approx(1)
    assert ((found.low_C <= found.value_C) & (found.value_C <= found.high_C)).all()
    assert (found.high_C - found.low_C).max() < 0.12


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_intervals_hold_the_shares_about_as_often_as_they_say(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "N_RESAMPLES", 60)
    held = []
    for seed in range(20):
        (source, codes), (target, _) = drawn(SOURCE, 120, 2 * seed), drawn(TARGET, 120, 2 * seed + 1)
        found = estimate_shares(source, codes, target, method, seed=seed)  # type: ignore[arg-type]
        held.append((found.low_C <= TARGET) & (found.high_C >= TARGET))
    coverage = float(np.mean(held))  # of 60 intervals; 60 resamples make them a little narrow
    assert coverage >= 0.83, coverage


def test_em_is_the_maximum_likelihood() -> None:
    target, _ = drawn(TARGET, 300, 5)
    p = softmax(target, axis=1)

    def loss(free: np.ndarray) -> float:
        return -float(np.log(p / SOURCE @ softmax(np.append(free, 0.0))).mean())

    best = softmax(np.append(minimize(loss, np.zeros(2), tol=1e-12).x, 0.0))
    assert np.abs(em_shares(p, SOURCE) - best).max() < 1e-3


@settings(max_examples=25)
@given(st.integers(2, 6), st.integers(0, 99))
def test_bbse_solves_an_exact_mixture(n_classes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(n_classes))
    confusion = softmax(3 * np.eye(n_classes) + random.normal(size=(n_classes, n_classes)), axis=0)
    codes = np.repeat(np.arange(n_classes), 4)
    found = bbse_shares(confusion.T[codes], codes, (confusion @ shares)[None])
    assert np.abs(found - shares).max() < 1e-6
    assert np.allclose(soft_confusion(confusion.T[codes], codes), confusion)


def test_calibration_gives_each_class_its_share() -> None:
    source, codes = drawn(SOURCE, 400, 7)
    distorted = 4 * source + np.array([2.0, 0.0, -1.0])
    found = calibrate(distorted, codes)
    counts = np.bincount(codes, minlength=3) / 400
    assert np.abs(found.probabilities(distorted).mean(axis=0) - counts).max() < 0.005
    assert found.scale == pytest.approx(1 / 4, rel=0.25)
    half = calibrate(distorted, codes, np.where(np.arange(400) < 200, 1.0, 0.0))
    assert half.scale == pytest.approx(calibrate(distorted[:200], codes[:200]).scale, rel=0.05)


def test_calibration_minimises_the_log_loss() -> None:
    source, codes = drawn(SOURCE, 200, 8)
    found = calibrate(3 * source, codes)

    def loss(parameters: np.ndarray) -> float:
        scores = log_softmax(parameters[0] * 3 * source + parameters[1:], axis=1)
        smooth = np.full((200, 3), 1 / 202 / 2)
        smooth[np.arange(200), codes] = 201 / 202
        return -float((smooth * scores).sum(axis=1).mean())

    best = minimize(loss, np.array([1.0, 0, 0, 0]), tol=1e-10)
    assert loss(np.append(found.scale, found.bias_C)) <= best.fun + 1e-7


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_a_class_that_the_target_lacks_gets_hardly_a_share(method: str) -> None:
    (source, codes), (target, _) = drawn(SOURCE, 800, 9), drawn(np.array([0.4, 0.6, 0.0]), 800, 10)
    found = estimate_shares(source, codes, target, method)  # type: ignore[arg-type]
    assert found.value_C[2] < 0.04 and found.low_C[2] < 0.01


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_a_perfect_classifier_counts(method: str) -> None:
    codes, truth = np.arange(30) % 3, np.array([0] * 7 + [1] * 2 + [2])
    found = estimate_shares(100.0 * np.eye(3)[codes], codes, 100.0 * np.eye(3)[truth], method)  # type: ignore[arg-type]
    assert np.abs(found.value_C - [0.7, 0.2, 0.1]).max() < 0.03


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_a_classifier_that_knows_nothing_gives_shares_and_wide_intervals(method: str) -> None:
    random = np.random.default_rng(0)
    codes = np.arange(90) % 3
    for source in (np.zeros((90, 3)), 0.01 * random.normal(size=(90, 3)), -5 * np.eye(3)[codes]):
        target = source[random.permutation(90)]
        found = estimate_shares(source, codes, target, method)  # type: ignore[arg-type]
        assert np.isfinite(found.value_C).all() and found.value_C.sum() == pytest.approx(1)


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_two_items_and_a_class_without_source_items(method: str) -> None:
    codes = np.array([0, 1])
    found = estimate_shares(np.eye(3)[codes], codes, np.eye(3)[[0, 0]], method)  # type: ignore[arg-type]
    assert found.value_C[2] < 0.34 and found.value_C.sum() == pytest.approx(1)
    assert np.isfinite([found.low_C, found.high_C]).all()


def test_units_that_are_drawn_together_widen_the_interval() -> None:
    (source, codes), (target, _) = drawn(SOURCE, 300, 11), drawn(TARGET, 300, 12)
    order = np.argsort(target[:, 0])  # units of alike items
    alone = estimate_shares(source, codes, target[order])
    together = estimate_shares(source, codes, target[order], units_M=np.arange(300) // 30)
    widths = [(found.high_C - found.low_C).mean() for found in (alone, together)]
    assert widths[1] > 1.5 * widths[0]


def test_source_items_are_predicted_out_of_fold() -> None:
    random = np.random.default_rng(0)
    noise = random.normal(size=(60, 200)).astype(np.float32)  # more features than items: all can be fitted
    domains = Domains(noise, np.arange(60) % 2, noise, 2, penalty=1e-3)
    found = predict(domains)
    assert (found.target_MC.argmax(axis=1) == domains.codes_N).mean() > 0.99
    assert (found.source_NC.argmax(axis=1) == domains.codes_N).mean() < 0.75


def test_groups_stay_in_one_fold() -> None:
    domains, _ = shifted(60)
    lone = Domains(
        domains.source_ND, domains.codes_N, domains.target_MD, 3, groups_N=domains.codes_N.astype(object)
    )
    with pytest.raises(DataError):
        predict(lone)
