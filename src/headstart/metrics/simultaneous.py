"""The largest of several differences: how large it is by chance alone if none of them is truly above zero.

Whoever looks at L candidates on the same items and takes the best must expect that its difference from the reference
is large: with 10 independent candidates that are all as good as the reference, one is ahead by more than 1.3 standard
errors in two cases of three. The bound below is exceeded by the largest of the L ratios

    t_l = mean_i d_il / se_l

with a chosen probability (max-t; Hothorn, Bretz and Westfall 2008, "Simultaneous inference in general parametric
models", section 3). The correlation of the L differences is taken from the items themselves, so that candidates that
are right and wrong on the same items, such as two epochs of one training, count as little more than one.

Legend: N items, G units, L differences, B draws.

Example:
    >>> noise = np.random.default_rng(0).normal(size=(200, 10))
    >>> one, ten, same = noise[:, :1], noise, np.repeat(noise[:, :1], 10, axis=1)
    >>> [round(bound(differences, level=0.05), 1) for differences in (one, ten, same)]
    [1.7, 2.6, 1.6]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.spread import freedom, unit_numbers, unit_sums

N_DRAWS = 20_000
FEW_UNITS = 30  # degrees of freedom below which every ratio's own standard error is drawn too
N_AT_ONCE = 500


def bound(
    differences_NL: NDArray[np.floating],
    units: NDArray[Any] | None = None,
    *,
    level: float,
    seed: int = 0,
    two_sided: bool = False,
) -> float:
    """Return the number of standard errors that the largest difference exceeds by chance with probability `level`.

    Args:
        differences_NL: of each item under each candidate, candidate minus reference, of shape (N, L), L >= 1.
        units: of shape (N,): items of one unit are not independent; None: every item is a unit of its own.
        level: probability, between 0 and 1.
        seed: of the draws.
        two_sided: whether differences below zero count as much as those above.

    Returns:
        Infinity if there are fewer than two units. Candidates equal to the reference do not count.
    """
    from scipy.stats import t

    numbers, n_units = unit_numbers(units, len(differences_NL))
    if n_units < 2:
        return float("inf")
    centred = np.asarray(differences_NL, dtype=np.float64)
    centred = centred - centred.mean(axis=0)
    sums_GL = unit_sums(numbers, n_units, centred)
    lengths = np.linalg.norm(sums_GL, axis=0)
    varying = lengths > 1e-12 * max(1.0, float(lengths.max(initial=0.0)))
    df = freedom(units, len(centred))
    if varying.sum() <= 1:
        return float(t.ppf(1 - (level / 2 if two_sided else level), df))
    # Normal draws with the correlation z'z of the differences: its root is S V' of z = U S V'.
    factors = np.linalg.svd(sums_GL[:, varying] / lengths[varying], full_matrices=False)
    root = factors.S[:, None] * factors.Vh
    rng = np.random.default_rng(seed)
    if df < FEW_UNITS:
        return float(np.quantile(_of_few(root, max(2, round(df) + 1), two_sided, rng), 1 - level))
    largest = np.concatenate(
        [
            _largest(rng.standard_normal((N_AT_ONCE, len(root))) @ root, two_sided)
            for _ in range(N_DRAWS // N_AT_ONCE)
        ]
    )
    return float(np.quantile(largest / np.sqrt(rng.chisquare(df, N_DRAWS) / df), 1 - level))


def _of_few(
    root: NDArray[np.float64], n_units: int, two_sided: bool, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the largest ratios of whole data sets of a few units, since each has a standard error of its own."""
    largest = []
    for _ in range(N_DRAWS // N_AT_ONCE):
        draws_BGL = rng.standard_normal((N_AT_ONCE, n_units, len(root))) @ root
        errors = draws_BGL.std(axis=1, ddof=1) / n_units**0.5
        largest.append(_largest(draws_BGL.mean(axis=1) / errors, two_sided))
    return np.concatenate(largest)


def _largest(ratios_BL: NDArray[np.float64], two_sided: bool) -> NDArray[np.float64]:
    return np.asarray((np.abs(ratios_BL) if two_sided else ratios_BL).max(axis=1))
