"""How well sources are ranked on a data set that is left out: by the others, by evidence, and by both together.

Evidence is simulated: the published accuracy with the noise of so many held-out items, drawn for each source alone.
Real evidence is paired (all sources see the same items), which makes differences between sources more certain.

Legend: T data sets, S sources.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import weightedtau

from benchmarks.prior.tables import CLASSES, Table
from headstart.choose import SourcePrior, source_prior, with_evidence
from headstart.choose.prior import log_odds

AMOUNTS = (10, 20, 50, 100, 200)
N_SEEDS = 20
SHORT = 3  # data sets of a short record
Row = dict[str, Any]


def measure(table: Table, n_seeds: int = N_SEEDS) -> list[Row]:
    """Return one row per data set: how well each way ranks the sources there, the mean over pools and seeds."""
    found: dict[str, list[dict[str, float]]] = {}
    for pool in table.pools():
        for t, data in enumerate(pool.data):
            known = np.isfinite(pool.scores[t])
            truth_S, others_TS = pool.scores[t, known], np.delete(pool.scores, t, axis=0)[:, known]
            if len(truth_S) >= 5 and truth_S.std() > 0:
                stated_S = None if pool.upstream is None else pool.upstream[known]
                row = _left_out(data, truth_S, others_TS, stated_S, n_seeds)
                found.setdefault(data, []).append(row)
    return [{"table": table.name, "data": data, **_means(rows)} for data, rows in found.items()]


def mean_of_others(others_TS: np.ndarray) -> np.ndarray:
    """Return the mean standardised accuracy on other data sets, of shape (S,): the baseline, without any shrinkage."""
    spread_T = np.nanstd(others_TS, axis=1, keepdims=True)
    z_TS = (others_TS - np.nanmean(others_TS, axis=1, keepdims=True)) / np.where(
        spread_T > 0, spread_T, np.nan
    )
    known = np.isfinite(z_TS)
    return np.where(known, z_TS, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def quality(truth_S: np.ndarray, estimate_S: np.ndarray, way: str) -> dict[str, float]:
    """Return weighted Kendall tau and top-1 regret in points of an estimate; one that says nothing has tau 0."""
    if np.ptp(estimate_S) == 0:
        return {f"tau {way}": 0.0, f"regret {way}": 100 * float(truth_S.max() - truth_S.mean())}
    best = estimate_S == estimate_S.max()
    return {
        f"tau {way}": float(weightedtau(truth_S, estimate_S).statistic),
        f"regret {way}": 100 * float(truth_S.max() - truth_S[best].mean()),
    }


def upstream_correlations(table: Table) -> list[float]:
    """Return for each data set the correlation of the sources' accuracy there and upstream, both in log odds."""
    assert table.upstream is not None
    found = []
    for scores_S in table.scores:
        known = np.isfinite(scores_S)
        if known.sum() >= 5 and np.ptp(scores_S[known]) > 0:
            pair = log_odds(scores_S[known]), log_odds(table.upstream[known])
            found.append(float(np.corrcoef(*pair)[0, 1]))
    return found


def _left_out(
    data: str, truth_S: np.ndarray, others_TS: np.ndarray, stated_S: np.ndarray | None, n_seeds: int
) -> dict[str, float]:
    prior = source_prior(others_TS)
    row = {**quality(truth_S, mean_of_others(others_TS), "mean"), **quality(truth_S, prior.mean, "prior")}
    stated = None if stated_S is None else source_prior(np.zeros((0, len(truth_S))), stated_S)
    if stated is not None:
        row |= quality(truth_S, stated.mean, "upstream")
    draws = [_draw(data, truth_S, others_TS, prior, stated, seed) for seed in range(n_seeds)]
    return row | _means(draws)


def _draw(
    data: str,
    truth_S: np.ndarray,
    others_TS: np.ndarray,
    prior: SourcePrior,
    stated: SourcePrior | None,
    seed: int,
) -> dict[str, float]:
    """Every amount of evidence once."""
    rng = np.random.default_rng(seed)
    short = source_prior(_short(others_TS, rng))
    row = quality(truth_S, short.mean, "short")
    for amount in AMOUNTS:
        for name, n_items in ((f"{amount} in all", amount), (f"{amount} per class", amount * CLASSES[data])):
            measured_S = rng.binomial(n_items, truth_S) / n_items
            row |= quality(truth_S, measured_S, f"evidence {name}")
            priors = {"both": prior, "short both": short}
            if stated is not None:
                priors["upstream both"] = stated
            for way, each in priors.items():
                error_SS = np.diag(measured_S * (1 - measured_S) / n_items)
                found = with_evidence(each, measured_S, error_SS, n_items)
                row |= quality(truth_S, found.log_odds, f"{way} {name}")
    return row


def _short(others_TS: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The record of a user who fitted half of the sources, other ones each time, on three data sets."""
    T, S = others_TS.shape
    rows = rng.permutation(T)[:SHORT]
    short_TS = np.full((len(rows), S), np.nan)
    for index, t in enumerate(rows):
        columns = rng.permutation(S)[: (S + 1) // 2]
        short_TS[index, columns] = others_TS[t, columns]
    return short_TS


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
