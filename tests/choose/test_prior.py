"""The prior over sources and its combination with evidence, against dense computations and simulated data sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from headstart.choose import prior as module
from headstart.choose.prior import SourcePrior, log_odds, source_prior, with_evidence

MANY = 10**9


def table(n_data_sets: int, n_sources: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores that follow the model, of shape (T, S), and how good each source is in general."""
    rng = np.random.default_rng(seed)
    general = rng.normal(size=n_sources) * np.sqrt(module.GENERAL)
    own = rng.normal(size=(n_data_sets, n_sources)) * np.sqrt(module.PARTICULAR)
    spread = np.exp(rng.normal(np.log(module.SPREAD), 0.2, size=(n_data_sets, 1)))
    return expit(rng.normal(1, 1, size=(n_data_sets, 1)) + spread * (general + own)), general


def error_of(scores: np.ndarray, n_items: int) -> np.ndarray:
    return np.diag(scores * (1 - scores) / n_items)


def fixed(prior: SourcePrior) -> SourcePrior:
    """The prior with a known spread."""
    return SourcePrior(prior.mean, prior.covariance, prior.n_data_sets, prior.log_spread, 0.0)


def test_the_general_part_is_the_best_linear_unbiased_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pass against the mixed model written as one large Gaussian with a level of large variance per data set."""
    scores, _ = table(4, 5)
    scores[0, 2] = scores[1, 0] = scores[3, 4] = np.nan
    monkeypatch.setattr(module, "_ITERATIONS", 1)
    z = log_odds(scores) / module._spreads(log_odds(scores), np.zeros_like(scores))[0][:, None]
    noise = np.where(np.arange(5) == 1, 0.3, 0.0) * np.ones((4, 1))
    mean, covariance, _ = module._general_and_particular(z, noise, np.zeros(5))
    t, s = np.nonzero(np.isfinite(z))
    levels = np.equal.outer(t, t) * 1e6
    whole = levels + module.GENERAL * np.equal.outer(s, s) + np.diag(module.PARTICULAR + noise[t, s])
    of_sources = module.GENERAL * np.equal.outer(np.arange(5), s)
    np.testing.assert_allclose(mean, of_sources @ np.linalg.solve(whole, z[t, s]), atol=1e-4)
    left = module.GENERAL * np.eye(5) - of_sources @ np.linalg.solve(whole, of_sources.T)
    np.testing.assert_allclose(covariance, left, atol=1e-4)


def test_a_table_without_gaps_is_ordered_by_its_means() -> None:
    scores, _ = table(6, 8)
    y = log_odds(scores)
    means = ((y - y.mean(axis=1, keepdims=True)) / module._spreads(y, np.zeros_like(y))[0][:, None]).mean(
        axis=0
    )
    assert np.argsort(source_prior(scores).mean).tolist() == np.argsort(means).tolist()


def test_few_records_are_drawn_to_the_mean_and_say_less() -> None:
    scores = np.full((8, 4), np.nan)
    scores[:, 0], scores[:, 1], scores[0, 2] = 0.7, 0.8, 0.9
    found = source_prior(scores)
    assert found.n_data_sets.tolist() == [8, 8, 1, 0]
    assert found.mean[0] < found.mean[3] == 0 < found.mean[1]
    assert found.standard_error[3] > found.standard_error[2] > found.standard_error[1]


def test_scores_of_few_items_say_less() -> None:
    scores, _ = table(6, 5)
    exact, many, few = (
        source_prior(scores, n_items_TS=n) for n in (None, np.full((6, 5), 1e9), np.full((6, 5), 20))
    )
    np.testing.assert_allclose(many.mean, exact.mean, atol=1e-4)
    np.testing.assert_allclose(many.covariance, exact.covariance, atol=1e-4)
    in_log_odds = [np.exp(found.log_spread) * found.mean.std() for found in (few, exact)]
    assert in_log_odds[0] < 0.7 * in_log_odds[1] and (few.standard_error > exact.standard_error).all()


def test_noise_of_records_is_taken_off() -> None:
    """With scores of 60 items, the prior that knows so is closer to what sources are worth."""
    errors: dict[bool, list[float]] = {True: [], False: []}
    rng = np.random.default_rng(0)
    for seed in range(40):
        scores, general = table(6, 8, seed)
        noisy = rng.binomial(60, scores) / 60
        for known in errors:
            found = source_prior(noisy, n_items_TS=np.full((6, 8), 60) if known else None)
            spread = np.exp(found.log_spread)
            off = spread * found.mean - module.SPREAD * (general - general.mean())
            errors[known].append(float(np.mean((off - off.mean()) ** 2)))
    assert np.mean(errors[True]) < 0.9 * np.mean(errors[False])


def test_a_source_that_varies_more_is_less_certain() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(12, 1)) + 0.2 * rng.normal(size=6) + 0.05 * rng.normal(size=(12, 6))
    y[:, 3] += 0.4 * rng.normal(size=12)
    assert int(source_prior(expit(y)).standard_error.argmax()) == 3


def test_upstream_accuracy_matters_without_records_and_hardly_with_many() -> None:
    upstream = np.array([0.7, 0.75, 0.8, np.nan])
    nothing = source_prior(np.zeros((0, 4)), upstream)
    assert nothing.mean[0] < nothing.mean[3] == 0 < nothing.mean[2] and nothing.mean[1] > nothing.mean[0]
    scores, _ = table(30, 4)
    alone, both = source_prior(scores).mean, source_prior(scores, upstream).mean
    assert np.abs(both - alone).max() < 0.1
    two = source_prior(np.zeros((0, 4)), np.array([0.7, 0.8, np.nan, np.nan]))
    assert not two.mean.any(), "two accuracies are not enough to compare"
    assert not source_prior(np.zeros((0, 3)), np.full(3, 0.8)).mean.any()


def test_the_result_is_the_gaussian_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the joint Gaussian of scores and evidence with a level of large variance."""
    monkeypatch.setattr(module, "CONFLICT", 1e-300)
    scores, _ = table(7, 5)
    prior, measured = fixed(source_prior(scores)), np.array([0.6, 0.7, np.nan, 0.65, 0.72])
    known = np.isfinite(measured)
    error = np.full((5, 5), 0.0002) + np.diag([0.001, 0.002, 0.0, 0.001, 0.001])
    found = with_evidence(prior, measured, error, MANY)
    spread = np.exp(prior.log_spread)
    K = spread**2 * prior.covariance + 1e6
    slope = 1 / (measured[known] * (1 - measured[known]))
    A = K[np.ix_(known, known)] + error[np.ix_(known, known)] * np.outer(slope, slope)
    rest = log_odds(measured[known]) - spread * prior.mean[known]
    np.testing.assert_allclose(
        found.log_odds, spread * prior.mean + K[:, known] @ np.linalg.solve(A, rest), atol=1e-3
    )
    np.testing.assert_allclose(found.covariance, K - K[:, known] @ np.linalg.solve(A, K[known]), atol=1e-3)


def test_much_evidence_decides_and_little_leaves_the_prior() -> None:
    scores, _ = table(7, 6)
    prior = source_prior(scores)
    measured = np.array([0.9, 0.5, 0.6, 0.55, 0.7, 0.8])
    exact = with_evidence(prior, measured, error_of(measured, MANY), MANY)
    np.testing.assert_allclose(exact.score, measured, atol=1e-4)
    vague = with_evidence(prior, measured, 1e4 * error_of(measured, 1), 1)
    assert np.argsort(vague.score).tolist() == np.argsort(prior.mean).tolist()


def test_a_prior_that_the_evidence_contradicts_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, _ = table(12, 8)
    prior = source_prior(scores)
    measured = expit(1 - 0.5 * prior.mean)
    error = error_of(measured, 150)
    robust = with_evidence(prior, measured, error, 150).log_odds
    monkeypatch.setattr(module, "CONFLICT", 1e-300)
    trusting = with_evidence(prior, measured, error, 150).log_odds
    assert np.corrcoef(robust, measured)[0, 1] > 0.5 > np.corrcoef(trusting, measured)[0, 1]


def test_nothing_measured() -> None:
    with pytest.raises(ValueError, match="at least one"):
        with_evidence(source_prior(np.zeros((0, 2))), np.full(2, np.nan), np.zeros((2, 2)), 10)


def test_errors_that_sources_share_do_not_blur_their_order() -> None:
    prior = source_prior(np.zeros((0, 2)))
    measured, same = np.array([0.70, 0.74]), np.full((2, 2), 0.002)
    apart = with_evidence(prior, measured, same + np.eye(2) * 1e-5, 100).score
    blurred = with_evidence(prior, measured, np.eye(2) * 0.002, 100).score
    assert np.diff(apart) > 2 * np.diff(blurred) > 0


def test_a_source_that_was_not_measured_is_placed_by_the_prior() -> None:
    scores, _ = table(12, 5)
    prior = source_prior(scores)
    measured = scores.mean(axis=0)
    best = int(prior.mean.argmax())
    hidden = np.where(np.arange(5) == best, np.nan, measured)
    found = with_evidence(prior, hidden, error_of(np.nan_to_num(hidden), 200), 200)
    assert int(found.score.argmax()) == best
    low, high = found.interval()
    assert (high - low).argmax() == best


@pytest.mark.parametrize("measured", [[1.0, 1.0, 0.5], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [-0.5, 0.2, 0.3]])
@pytest.mark.parametrize("n_items", [1, 4, 1000])
def test_nothing_right_and_everything_right(measured: list[float], n_items: int) -> None:
    scores = np.array(measured)
    found = with_evidence(source_prior(np.zeros((0, 3))), scores, np.zeros((3, 3)), n_items)
    low, high = found.interval()
    assert np.isfinite(found.log_odds).all() and (low < found.score).all() and (found.score < high).all()
    assert (np.diff(found.score)[np.diff(scores) >= 0] >= -1e-12).all()


def test_one_source_and_data_sets_that_say_nothing() -> None:
    one = with_evidence(source_prior(np.array([[0.7]])), np.array([0.8]), np.array([[0.001]]), 100)
    assert one.score[0] == pytest.approx(80.5 / 101)
    gaps = np.array([[0.7, np.nan], [np.nan, np.nan], [np.nan, 0.9]])
    assert not source_prior(gaps).mean.any(), "no data set compares two sources"


@pytest.mark.parametrize(
    "scores", [np.full((5, 4), 0.8), np.zeros((3, 4)), np.ones((3, 4)), -np.ones((3, 4))]
)
def test_sources_that_are_all_the_same(scores: np.ndarray) -> None:
    found = source_prior(scores)
    np.testing.assert_allclose(found.mean, 0, atol=1e-12)
    assert (found.standard_error > 0).all()


def test_intervals_hold_what_they_say() -> None:
    """Over simulated data sets that follow the model, measured on 300 items."""
    rng = np.random.default_rng(1)
    inside = []
    for seed in range(60):
        scores, _ = table(9, 6, seed)
        truth = scores[-1]
        measured = rng.binomial(300, truth) / 300
        low, high = with_evidence(
            source_prior(scores[:-1]), measured, error_of(measured, 300), 300
        ).interval()
        inside.append((low <= truth) & (truth <= high))
    assert 0.92 <= float(np.mean(inside)) <= 0.99


def test_prior_and_evidence_together_are_closer_than_either() -> None:
    rng = np.random.default_rng(2)
    errors: dict[str, list[Any]] = {"prior": [], "evidence": [], "both": []}
    for seed in range(40):
        scores, _ = table(9, 8, seed)
        truth, prior = log_odds(scores[-1]), source_prior(scores[:-1])
        measured = rng.binomial(200, scores[-1]) / 200
        found = {
            "prior": np.exp(prior.log_spread) * prior.mean,
            "evidence": log_odds(measured),
            "both": with_evidence(prior, measured, error_of(measured, 200), 200).log_odds,
        }
        for name, values in found.items():
            errors[name].append((values - values.mean() - truth + truth.mean()) ** 2)
    mean = {name: float(np.mean(values)) for name, values in errors.items()}
    assert mean["both"] < 0.9 * min(mean["prior"], mean["evidence"])


def test_the_first_sources_alone() -> None:
    scores, _ = table(5, 6)
    whole = source_prior(scores)
    some = whole.first(2)
    np.testing.assert_array_equal(some.mean, whole.mean[:2])
    np.testing.assert_array_equal(some.covariance, whole.covariance[:2, :2])
    assert some.n_data_sets.tolist() == [5, 5]
