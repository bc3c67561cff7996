"""What earlier data sets say about sources on a new one, before and together with evidence from the new data.

Let y_ts be the log odds of the score (a share) of source s on data set t. The model is

    y_ts = level_t + spread_t (a_s + d_ts),   a_s ~ N(b u_s, A),   d_t ~ N(0, W)

How hard a data set is (level_t) says nothing about sources. a_s is how good a source is in general, d_ts what is
particular to it on one data set; W lets some sources vary more than others, and similar ones vary together. a is
estimated by best linear unbiased prediction (Henderson 1975, Biometrics 31:423), which draws sources with few records
towards the mean, and W by expectation maximisation under an inverse Wishart prior, since tables have gaps (Little and
Rubin 2002, chapter 11). spread_t is the standard deviation of a data set's sources, itself drawn towards that of all
(Smyth 2004, section 3). Scores of few items have an error on top, which is known. u_s is the standardised log odds of
the accuracy on the upstream task, where a source states it.

A new data set has the prior N(a, cov(a) + W) times an unknown spread, plus an unknown level. `with_evidence` multiplies
it with the likelihood of scores that were measured there: each is weighted by its precision (Efron and Morris 1975,
JASA 70:311). The spread is integrated out (Gauss-Hermite), the level has a flat prior. With a small chance the record
says nothing about this data set: such a robust prior gives way where the evidence contradicts it (Schmidli et al.
2014, Biometrics 70:1023).

The constants are close to what published tables give (`python -m benchmarks.prior`). They count as much as a few data
sets, and matter while a user's record is short.

Legend: T data sets, S sources.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri, softmax

Float = NDArray[np.float64]

GENERAL, PARTICULAR = 0.8, 0.2  # A and the mean of W, as shares of the variance inside a data set
PARTICULAR_WEIGHT = 5.0  # data sets that the mean of W counts as
SPREAD, SPREAD_WEIGHT = 0.23, 4.0  # standard deviation in log odds; sources that it counts as
LOG_SPREAD_ERROR, LOG_SPREAD_WEIGHT = 0.5, 1.0  # between data sets; data sets that it counts as
CONFLICT = 0.1  # chance that the record says nothing about a new data set
UPSTREAM = (
    0.3  # correlation of the upstream accuracy with a: high in one family of networks, low among hub models
)
LEAST_STATED = 3  # upstream accuracies, to be compared with each other
_LEAST = 0.003  # shares are cut to [_LEAST, 1 - _LEAST], since 0 and 1 have no log odds
_ITERATIONS, _TOLERANCE = 50, 1e-4
_NODES = 11


@dataclass(frozen=True, eq=False)
class SourcePrior:
    """How good sources are expected to be on a new data set, in log odds divided by the spread of that data set.

    Attributes:
        mean: of shape (S,); only differences between sources mean something.
        covariance: of shape (S, S): of the estimate and of what is particular to a data set.
        n_data_sets: data sets on which each source was measured, of shape (S,).
        log_spread, log_spread_error: mean and standard deviation of the logarithm of the spread of a data set.
    """

    mean: Float
    covariance: Float
    n_data_sets: NDArray[np.intp]
    log_spread: float
    log_spread_error: float

    @property
    def standard_error(self) -> Float:
        """How far each source may be from its mean, of shape (S,)."""
        return np.sqrt(np.diag(self.covariance))

    def first(self, n_sources: int) -> SourcePrior:
        """The prior of the first sources alone."""
        return SourcePrior(
            self.mean[:n_sources],
            self.covariance[:n_sources, :n_sources],
            self.n_data_sets[:n_sources],
            self.log_spread,
            self.log_spread_error,
        )


@dataclass(frozen=True, eq=False)
class Posterior:
    """Scores on the new data set, from the prior and the evidence.

    Attributes:
        log_odds: of shape (S,).
        covariance: of shape (S, S), of the log odds.
    """

    log_odds: Float
    covariance: Float

    @property
    def score(self) -> Float:
        """The scores, of shape (S,)."""
        return np.asarray(expit(self.log_odds))

    def interval(self, level: float = 0.95) -> tuple[Float, Float]:
        """The ends of the interval of each score, of shape (S,)."""
        reach = ndtri(0.5 + level / 2) * np.sqrt(np.diag(self.covariance))
        return np.asarray(expit(self.log_odds - reach)), np.asarray(expit(self.log_odds + reach))


def source_prior(
    scores_TS: Float, upstream_S: Float | None = None, n_items_TS: NDArray[Any] | None = None
) -> SourcePrior:
    """The prior of sources, from their scores on earlier data sets.

    Args:
        scores_TS: shares, of shape (T, S); NaN where not measured. T may be 0. A score that can be below 0 (R²) is
            taken as a share too: every score below `_LEAST` counts the same.
        upstream_S: accuracy on the upstream task, of shape (S,); NaN where not stated. Only accuracies on one task can
            be compared. None: none is stated.
        n_items_TS: number of items that each score was measured on, of shape (T, S): with few of them a score says
            little. None: so many that scores have no error.
    """
    useful = np.isfinite(scores_TS).sum(axis=1) >= 2
    y_TS, error_TS = _with_errors(scores_TS[useful], None if n_items_TS is None else n_items_TS[useful])
    spread_T, log_spread, error = _spreads(y_TS, error_TS)
    z_TS, noise_TS = y_TS / spread_T[:, None], error_TS / spread_T[:, None] ** 2
    mean_S, covariance_SS, W_SS = _general_and_particular(z_TS, noise_TS, _stated(upstream_S, y_TS.shape[1]))
    n_data_sets = np.isfinite(y_TS).sum(axis=0)
    return SourcePrior(mean_S, covariance_SS + W_SS, n_data_sets, log_spread, error)


def with_evidence(prior: SourcePrior, score_S: Float, covariance_SS: Float, n_items: int) -> Posterior:
    """Scores on a new data set, from the prior and scores that were measured there.

    Args:
        prior: of the S sources.
        score_S: measured scores, such as cross-validated accuracies, of shape (S,); NaN where not measured yet. At
            least one is measured.
        covariance_SS: of their errors, of shape (S, S). Sources are measured on the same items, so that their errors
            are correlated; the diagonal alone is the careful choice.
        n_items: number of items that they were measured on; all of them right is not 100%.

    Raises:
        ValueError: no source is measured.
    """
    known = np.isfinite(score_S)
    if not known.any():
        raise ValueError("at least one source must be measured")
    y, V = _evidence(score_S[known], covariance_SS[np.ix_(known, known)], n_items)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    spreads = np.exp(prior.log_spread + prior.log_spread_error * nodes)
    found, log_weights = [], []
    for each, chance in ((prior, 1 - CONFLICT), (_vague(prior), CONFLICT)):
        parts = [_given_spread(each, known, y, V, spread) for spread in spreads]
        found += [(mean, covariance) for _, mean, covariance in parts]
        log_weights += (np.log(chance * weights) + [likelihood for likelihood, _, _ in parts]).tolist()
    share = softmax(log_weights)
    mean_S = share @ np.array([mean for mean, _ in found])
    second = [covariance + np.outer(mean - mean_S, mean - mean_S) for mean, covariance in found]
    return Posterior(mean_S, np.einsum("k,kij->ij", share, np.array(second)))


def _vague(prior: SourcePrior) -> SourcePrior:
    """The prior of sources of which nothing is known."""
    return replace(
        prior, mean=np.zeros_like(prior.mean), covariance=(GENERAL + PARTICULAR) * np.eye(len(prior.mean))
    )


def log_odds(share: Float) -> Float:
    """The log odds of shares; NaN stays NaN."""
    return np.asarray(logit(np.clip(share, _LEAST, 1 - _LEAST)))


def _with_errors(scores_TS: Float, n_items_TS: NDArray[Any] | None) -> tuple[Float, Float]:
    """Log odds of scores and the variance of their errors (Gart and Zweifel 1967), both of shape (T, S)."""
    if n_items_TS is None:
        return log_odds(scores_TS), np.zeros_like(scores_TS)
    share_TS = (n_items_TS * np.clip(scores_TS, 0, 1) + 0.5) / (n_items_TS + 1)
    return np.asarray(logit(share_TS)), 1 / (n_items_TS * share_TS * (1 - share_TS))


def _spreads(y_TS: Float, error_TS: Float) -> tuple[Float, float, float]:
    """The spread of each data set, of shape (T,), and mean and standard deviation of its logarithm.

    What errors add to the squares is taken off, and a data set counts less the more of them it is: the variance of an
    estimate of s^2 from squares of s^2 + e is proportional to (s^2 + e)^2.
    """
    freedom_T = np.isfinite(y_TS).sum(axis=1) - 1
    error_T = np.array([np.nanmean(row) for row in error_TS])
    weight_T = (SPREAD**2 / (SPREAD**2 + error_T)) ** 2
    squares_T = np.array([np.nansum((row - np.nanmean(row)) ** 2) for row in y_TS])
    squares_T = weight_T * (squares_T - freedom_T * error_T)
    freedom_T = weight_T * freedom_T
    usual = (SPREAD_WEIGHT * SPREAD**2 + squares_T.sum()) / (SPREAD_WEIGHT + freedom_T.sum())
    usual = max(usual, SPREAD**2 / 10)
    spread_T = np.sqrt((SPREAD_WEIGHT * usual + np.maximum(squares_T, 0)) / (SPREAD_WEIGHT + freedom_T))
    log_T, whole = np.log(spread_T), LOG_SPREAD_WEIGHT + len(y_TS)
    mean = (LOG_SPREAD_WEIGHT * np.log(SPREAD) + log_T.sum()) / whole
    variance = (LOG_SPREAD_WEIGHT * LOG_SPREAD_ERROR**2 + ((log_T - mean) ** 2).sum()) / whole
    return spread_T, float(mean), float(np.sqrt(variance))


def _stated(upstream_S: Float | None, n_sources: int) -> Float:
    """What the upstream accuracies say about a, of shape (S,); 0 where none is stated."""
    expected_S = np.zeros(n_sources)
    if upstream_S is not None and np.isfinite(upstream_S).sum() >= LEAST_STATED:
        known = np.isfinite(upstream_S)
        u = log_odds(upstream_S[known])
        if u.std() > 0:
            expected_S[known] = UPSTREAM * np.sqrt(GENERAL) * (u - u.mean()) / u.std()
    return expected_S


def _general_and_particular(z_TS: Float, noise_TS: Float, expected_S: Float) -> tuple[Float, Float, Float]:
    """The mean and the covariance of a, and W.

    Each pass gives a from W (its posterior), then W from the expected squares of d.
    """
    S = len(expected_S)
    mean_S = expected_S
    covariance_SS: Float = GENERAL * np.eye(S)
    start_SS: Float = PARTICULAR * np.eye(S)
    W_SS = start_SS
    for _ in range(_ITERATIONS if len(z_TS) else 0):
        precision_SS, pull_S = np.eye(S) / GENERAL, expected_S / GENERAL
        projections = [_without_level(W_SS, row, noise) for row, noise in zip(z_TS, noise_TS)]
        for (known, P), row in zip(projections, z_TS):
            precision_SS[np.ix_(known, known)] += P
            pull_S[known] += P @ row[known]
        covariance_SS = np.asarray(np.linalg.inv(precision_SS), np.float64)
        mean_S = covariance_SS @ pull_S
        squares_SS = PARTICULAR_WEIGHT * start_SS
        for (known, P), row in zip(projections, z_TS):
            gain = W_SS[:, known] @ P
            d_S = gain @ (row[known] - mean_S[known])
            squares_SS = squares_SS + np.outer(d_S, d_S) + W_SS - gain @ W_SS[known]
            squares_SS += gain @ covariance_SS[np.ix_(known, known)] @ gain.T
        before, W_SS = W_SS, squares_SS / (PARTICULAR_WEIGHT + len(z_TS))
        if np.abs(W_SS - before).max() < _TOLERANCE:
            break
    return mean_S, covariance_SS, W_SS


def _without_level(W_SS: Float, row_S: Float, noise_S: Float) -> tuple[NDArray[np.intp], Float]:
    """The sources of a data set, and their precision once its level is estimated too."""
    known = np.flatnonzero(np.isfinite(row_S))
    precision = np.linalg.inv(W_SS[np.ix_(known, known)] + np.diag(noise_S[known]))
    sums = precision.sum(axis=0)
    return known, precision - np.outer(sums, sums) / sums.sum()


def _evidence(score_S: Float, covariance_SS: Float, n_items: int) -> tuple[Float, Float]:
    """Log odds of measured scores and the covariance of their errors.

    Half a right and half a wrong item are added, which makes the log odds nearly unbiased (Gart and Zweifel 1967,
    Biometrika 54:181), and an error is at least that of so many independent items; correlations stay as they are.
    """
    share_S = (n_items * np.clip(score_S, 0, 1) + 0.5) / (n_items + 1)
    least_S = share_S * (1 - share_S) / n_items
    variance_S = np.diag(covariance_SS)
    factor_S = np.sqrt(np.maximum(least_S, variance_S) / np.where(variance_S > 0, variance_S, np.inf))
    whole_SS = covariance_SS * np.outer(factor_S, factor_S) + np.diag(np.where(variance_S > 0, 0, least_S))
    slope_S = 1 / (share_S * (1 - share_S))
    return np.asarray(logit(share_S)), whole_SS * np.outer(slope_S, slope_S)


def _given_spread(
    prior: SourcePrior, known: NDArray[np.bool_], y: Float, V: Float, spread: float
) -> tuple[float, Float, Float]:
    """Log likelihood of the evidence, and mean and covariance of the log odds of all sources, for one spread."""
    prior_S, K_SS = spread * prior.mean, spread**2 * prior.covariance
    A = K_SS[np.ix_(known, known)] + V
    precision = np.linalg.inv(A)
    sums = precision.sum(axis=0)
    level = float(sums @ (y - prior_S[known]) / sums.sum())
    rest = y - prior_S[known] - level
    gain = K_SS[:, known] @ precision
    likelihood = -0.5 * (np.linalg.slogdet(A)[1] + np.log(sums.sum()) + rest @ precision @ rest)
    of_level = 1 - gain.sum(axis=1)
    covariance_SS = K_SS - gain @ K_SS[known] + np.outer(of_level, of_level) / sums.sum()
    return float(likelihood), prior_S + level + gain @ rest, covariance_SS
