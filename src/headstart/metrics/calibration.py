"""Calibration error: how far stated probabilities are from what comes true, without the part that is chance.

Cells (a stated probability, and whether it came true) are sorted into B bins of equal size. With share w_b of the
cells, gap g_b between mean stated probability and observed share, and v_b the variance of that gap,

    error^2 = sum_b w_b (g_b^2 - v_b),     error = sqrt(max(0, error^2))

The second term removes the bias; v_b is at least that of independent cells that come true as often as stated. Even
of a perfectly calibrated model the gap of 10 cells is not 0 (Broecker 2012; Kumar, Liang and Ma 2019, "Verified
uncertainty calibration", the debiased estimator; the plain expected calibration error of Guo et al. 2017 says 13
points for 40 items of a calibrated model with two classes). The interval is that of error^2, whose variance is
4 g'WVWg + 2 tr (WV)^2 for true gaps g with covariance V of the observed ones; the first term is estimated without its
own bias, tr (WV)^2. It begins at 0 if the gaps may be chance.

Legend: N items, M cells, B bins.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.bounds import bounded, t_quantile
from headstart.metrics.interval import Interval
from headstart.metrics.spread import Float, Units

MOST_BINS = 15
CELLS_PER_BIN = 20


def calibration_error(
    stated: Float, came_true: NDArray[np.floating], units: Units, item: NDArray[np.intp] | None = None
) -> Interval:
    """Return the calibration error with its interval.

    Args:
        stated: probability of each cell, of shape (M,).
        came_true: 0 or 1, of shape (M,).
        units: of the N items.
        item: the item of each cell, of shape (M,); None: one cell per item.
    """
    gap = stated - came_true
    number = bin_numbers(stated)
    n_bins = int(number.max()) + 1
    sizes = np.bincount(number, minlength=n_bins).astype(np.float64)
    sums_B = np.bincount(number, weights=gap, minlength=n_bins) / len(gap)
    shares = sizes / len(gap)
    # Influences of the items on the sums, around the mean gap of each bin.
    residual = (gap - (sums_B / shares)[number]) / len(gap)
    residual *= np.sqrt(sizes / np.maximum(sizes - 1, 1))[number]
    influences = np.zeros((units.n_items, n_bins))
    np.add.at(influences, (np.arange(len(gap)) if item is None else item, number), residual)
    covariance = units.covariance(influences)
    # Cells that all came true, as stated or not, still vary as much as cells of their stated probabilities do.
    least = np.bincount(number, weights=stated * (1 - stated), minlength=n_bins) / len(gap) ** 2
    np.fill_diagonal(covariance, np.maximum(np.diagonal(covariance), least))
    scaled = covariance / shares[:, None]  # W V in terms of the sums
    if not np.isfinite(scaled).all():
        return Interval(_root(float((sums_B**2 / shares).sum())), why=units.too_few)
    square = float((sums_B**2 / shares).sum() - np.trace(scaled))
    noise = float(np.trace(scaled @ scaled))
    slope = float((sums_B / shares) @ scaled.T @ sums_B)

    def make(_: Units) -> Interval:
        half = t_quantile(units.freedom) * math.sqrt(4 * max(0.0, slope - noise) + 2 * noise)
        return Interval(_root(square), _root(square - half), min(1.0, _root(square + half)))

    return bounded(_root(square), units, make)


def bin_numbers(stated: Float) -> NDArray[np.intp]:
    """Return the bin of each cell, of shape (M,): bins of equal size, equal probabilities in one bin."""
    n_bins = int(np.clip(len(stated) // CELLS_PER_BIN, 1, MOST_BINS))
    edges = np.quantile(stated, np.linspace(0, 1, n_bins + 1)[1:-1])
    number = np.searchsorted(edges, stated, side="left")
    return np.unique(number, return_inverse=True)[1].astype(np.intp)


def _root(square: float) -> float:
    return math.sqrt(max(0.0, square))
