"""The largest of several paired differences: how large it is by chance, by flipping the signs of whole units.

Whoever looks at L results on the same items and takes the best must expect that it is ahead of the reference: of 35
that are all as good as the reference, the best is ahead by more than 2.5 standard errors in one case of ten. If a
result is as good as the reference, the difference of a unit is as likely to be +d as -d. So every pattern of signs
s_g = +-1, one per unit and the same for all L results, is as likely as the one that was seen, and the largest of

    t_l(s) = mean_l(s) / se_l(s),    mean_l(s) = sum_g s_g d_gl / N

over all 2^G patterns (or 1,000 drawn ones) tells what chance gives (Nichols and Holmes 2002, "Nonparametric
permutation tests for functional neuroimaging"; whole units: Winkler et al. 2014, "Permutation inference for the general
linear model"). No normal distribution is assumed, so the bound holds for 20 items, for differences that are -1, 0 and
1, and for 4 units; the correlation of the L results is that of the items themselves. `headstart.metrics.simultaneous`
asks the same with a t distribution, which few and skewed differences of losses do not have.

Legend: N items, G units, L results, S patterns of signs.

Example:
    >>> noise = np.random.default_rng(0).normal(size=(200, 10))
    >>> one, ten, same = noise[:, :1], noise, np.repeat(noise[:, :1], 10, axis=1)
    >>> [round(chance_bound(differences, level=0.1), 1) for differences in (one, ten, same)]
    [1.3, 2.4, 1.3]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.spread import Float, unit_numbers, unit_sums

N_PATTERNS = 1_000
_MANY_CELLS = 5_000_000  # of a block of patterns


def least_units(level: float) -> int:
    """The fewest units with which anything can exceed the bound: the one pattern that was seen, of 2^G.

    >>> least_units(0.1), least_units(0.2)
    (4, 3)
    """
    return int(np.ceil(np.log2(1 / level)))


def chance_bound(
    differences_NL: NDArray[np.floating], units: NDArray[Any] | None = None, *, level: float, seed: int = 0
) -> float:
    """Return the number of standard errors that the largest difference exceeds by chance with probability `level`.

    Args:
        differences_NL: of each item in each result, result minus reference, of shape (N, L), L >= 1.
        units: of shape (N,): items of one unit are not independent; None: every item is a unit of its own.
        level: one-sided probability, between 0 and 1; the true one is this or, with few units, less.
        seed: of the patterns.

    Returns:
        Infinity if there are fewer than `least_units(level)` units.
    """
    numbers, n_units = unit_numbers(units, len(differences_NL))
    if n_units < least_units(level):
        return float("inf")
    sums_GL = unit_sums(numbers, n_units, np.asarray(differences_NL, dtype=np.float64))
    sizes_G = np.bincount(numbers, minlength=n_units).astype(np.float64)
    signs_SG = _patterns(n_units, seed)
    rows = max(1, _MANY_CELLS // n_units)
    largest_S = np.concatenate(
        [
            _ratios(signs_SG[at : at + rows], sums_GL, sizes_G).max(axis=1)
            for at in range(0, len(signs_SG), rows)
        ]
    )
    # at most this share of the patterns, the one that was seen among them, lies beyond the bound
    n_beyond = int(level * len(largest_S))
    return float(np.sort(largest_S)[-n_beyond - 1]) * (1 + 1e-9) + 1e-9


def _patterns(n_units: int, seed: int) -> NDArray[np.int8]:
    """Signs of the units, of shape (S, G), the first all +1."""
    if 2**n_units <= N_PATTERNS:
        bits = np.arange(2**n_units)[:, None] >> np.arange(n_units) & 1
    else:
        bits = np.random.default_rng(seed).integers(0, 2, (N_PATTERNS, n_units), dtype=np.int8)
        bits[0] = 0
    return np.asarray(1 - 2 * bits, dtype=np.int8)


def _ratios(signs_SG: NDArray[np.int8], sums_GL: Float, sizes_G: Float) -> Float:
    """Mean over standard error of every difference under every pattern, of shape (S, L)."""
    signs, n_units, n_items = signs_SG.astype(np.float64), len(sizes_G), sizes_G.sum()
    mean = signs @ sums_GL / n_items
    squares = np.square(sums_GL).sum(axis=0)
    squares = squares - 2 * mean * (signs @ (sums_GL * sizes_G[:, None])) + mean**2 * np.square(sizes_G).sum()
    squares = np.where(squares > 1e-12 * np.square(sums_GL).sum(axis=0), squares, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = mean * n_items / np.sqrt(squares * n_units / (n_units - 1))
    return np.asarray(np.nan_to_num(ratios, nan=0.0, posinf=np.inf, neginf=-np.inf))
