"""A summary of labelled features: class means and the spread that all classes share; virtual items are drawn from it.

    x = mean[class] + deviation * (axes.T @ (sqrt(variances) * u)) + sqrt(residual) * e,    u, e ~ Normal(0, 1)

The spread is the pooled covariance within classes. Its correlations are kept as at most 64 principal axes of features
divided by their deviation within classes, and what the axes leave out as one variance per feature. So every feature
keeps its variance, and a stage of small numbers is not lost beside one of large numbers.

A source domain that is known only by such Gaussians can still be adapted from: Tian et al. 2021, "VDM-DA: Virtual
Domain Modeling for Source Data-free Domain Adaptation" (IEEE TCSVT), draw a virtual domain from Gaussians around class
means. Counts of classes mean nothing for several labels per item and for a quantity: those have no summary.

Legend: N items, C classes, D features, K axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Codes, Float, Float32
from headstart.heads.reduce import CHUNK, Rows

MOST_AXES = 64
FOR_AXES = 1_024  # items at most from which the axes are found
LEAST_DRAWN, MOST_DRAWN = 1_000, 2_000


@dataclass(frozen=True, eq=False)
class FeatureSummary:
    """What is kept of labelled features.

    Attributes:
        counts: items of each class, of shape (C,), int64.
        means: of each class, of shape (C, D), float32; zeros for a class without items.
        deviation: of each feature within classes, of shape (D,), float32; 0 where it is constant there.
        axes: principal axes of features divided by it, orthonormal, of shape (K, D), float32.
        variances: along the axes, of shape (K,), float32.
        residual: variance of each feature that the axes leave out, in its own unit, of shape (D,), float32.
        penalty: of a logistic regression on these features, per item; None: not known.
    """

    counts: Codes
    means: Float32
    deviation: Float32
    axes: Float32
    variances: Float32
    residual: Float32
    penalty: float | None = None

    @property
    def n_items(self) -> int:
        """How many items were summarised."""
        return int(self.counts.sum())

    @property
    def n_features(self) -> int:
        """D."""
        return int(self.means.shape[1])

    @property
    def shares(self) -> Float:
        """Share of each class, of shape (C,)."""
        return np.asarray(self.counts / self.n_items, dtype=np.float64)

    @cached_property
    def mean(self) -> Float:
        """Mean of all items, of shape (D,)."""
        return np.asarray(self.shares @ self.means.astype(np.float64))

    @cached_property
    def total_deviation(self) -> Float:
        """Deviation of all items, within and between classes, of shape (D,)."""
        between = self.shares @ np.square(self.means - self.mean)
        return np.asarray(np.sqrt(between + np.square(self.deviation, dtype=np.float64)))

    def draw(self, seed: int = 0) -> tuple[Float32, Codes]:
        """Draw virtual items with the class shares of those that were summarised: from 1,000 to about 2,000.

        Few items are drawn as 1,000, so that little hangs on the draw itself. Items come in pairs on both sides of
        their class's mean, so that the means of the classes are kept.

        Args:
            seed: random seed.

        Returns:
            Features of shape (N, D), float32, and classes of shape (N,), in random order.
        """
        generator = np.random.default_rng(seed)
        wanted = np.round(self.shares * np.clip(self.n_items, LEAST_DRAWN, MOST_DRAWN))
        n_each = np.where(self.counts > 0, np.maximum(wanted, 2), 0).astype(np.int64)
        parts = [self._around(code, int(n_drawn), generator) for code, n_drawn in enumerate(n_each)]
        codes = np.repeat(np.arange(len(n_each)), n_each)
        order = generator.permutation(len(codes))
        return np.concatenate(parts)[order], codes[order]

    def _around(self, code: int, n_drawn: int, generator: np.random.Generator) -> Float32:
        """Virtual items of one class, of shape (n_drawn, D)."""
        half = (n_drawn + 1) // 2
        u = generator.standard_normal((half, len(self.variances)), dtype=np.float32) * np.sqrt(self.variances)
        noise = generator.standard_normal((half, self.n_features), dtype=np.float32)
        offset = (u @ self.axes) * self.deviation + noise * np.sqrt(self.residual)
        both = np.stack([offset, -offset], axis=1).reshape(2 * half, self.n_features)[:n_drawn]
        return np.asarray(self.means[code] + both, dtype=np.float32)


def summarise(
    x_ND: Rows,
    codes_N: NDArray[np.integer],
    n_classes: int,
    *,
    counts: NDArray[np.integer] | None = None,
    penalty: float | None = None,
    chunk: int = CHUNK,
    seed: int = 0,
) -> FeatureSummary:
    """Summarise labelled features in one pass over chunks of rows; memory does not grow with N.

    Args:
        x_ND: features of shape (N, D), or anything that gives slices of its rows.
        codes_N: classes of shape (N,), from 0 to C - 1.
        n_classes: C.
        counts: items of each class, of shape (C,), if these N are a sample of more; None: as in `codes_N`.
        penalty: of a logistic regression on the features, to be kept.
        chunk: rows read at a time.
        seed: of the sample of items that the axes are found from.
    """
    n_items, width = x_ND.shape
    n_each = np.bincount(codes_N, minlength=n_classes)
    chosen = np.sort(np.random.default_rng(seed).permutation(n_items)[:FOR_AXES])
    sums, squares = np.zeros((n_classes, width)), np.zeros(width)
    shift, sample = np.zeros(width), []
    for start in range(0, n_items, chunk):
        part = np.asarray(x_ND[start : start + chunk], dtype=np.float64)
        if start == 0:
            shift = part.mean(axis=0)  # so that squares of large means do not swallow a small spread
        centred = part - shift
        np.add.at(sums, codes_N[start : start + chunk], centred)
        squares += np.einsum("nd,nd->d", centred, centred)
        inside = chosen[(chosen >= start) & (chosen < start + chunk)]
        sample.append(part[inside - start])
    means = np.where(n_each[:, None] > 0, shift + sums / np.maximum(n_each, 1)[:, None], 0.0)
    within = squares - np.einsum("cd,cd->d", sums, sums / np.maximum(n_each, 1)[:, None])
    freedom = max(n_items - int((n_each > 0).sum()), 1)
    deviation = np.sqrt(np.maximum(within, 0) / freedom)
    deviation[deviation <= 1e-6 * np.abs(shift) + 1e-12] = 0.0  # rounding of a constant feature
    residuals = np.concatenate(sample) - means[codes_N[chosen]]
    axes, variances = _axes(residuals, deviation, freedom / n_items)
    left = np.maximum(1.0 - np.square(axes).T @ variances, 0.0) * np.square(deviation)
    of_all = n_each if counts is None else np.where(n_each > 0, counts, 0)
    return FeatureSummary(
        of_all.astype(np.int64),
        means.astype(np.float32),
        deviation.astype(np.float32),
        axes.astype(np.float32),
        variances.astype(np.float32),
        left.astype(np.float32),
        penalty,
    )


def _axes(residual_ND: Float, deviation: Float, freedom_share: float) -> tuple[Float, Float]:
    """The principal axes of features divided by their deviation, (K, D), and the variances along them, (K,)."""
    z_ND = np.divide(residual_ND, deviation, out=np.zeros_like(residual_ND), where=deviation > 0)
    n_items, width = z_ND.shape
    most = min(MOST_AXES, n_items, width)
    if n_items <= width:
        values, vectors = np.linalg.eigh(z_ND @ z_ND.T)
        top = values[::-1][:most]
        kept = top > 1e-9 * max(float(top[0]), 1e-30) if most else np.zeros(0, dtype=bool)
        axes = (vectors[:, ::-1][:, :most][:, kept] / np.sqrt(top[kept])).T @ z_ND
    else:
        values, vectors = np.linalg.eigh(z_ND.T @ z_ND)
        top = values[::-1][:most]
        kept = top > 1e-9 * max(float(top[0]), 1e-30)
        axes = vectors[:, ::-1][:, :most][:, kept].T
    return axes, top[kept] / (n_items * freedom_share)
