"""Features in a smaller space with the same geometry, so that every linear head is cheap.

Standardised features x (N, D) are rotated onto their principal axes, z = x V, with as many columns as
their rank (at most min(N - 1, D)). The rotation keeps all inner products, so a head with an L2 penalty is
the same in both spaces, and the covariance of z is diagonal, which conditions the solvers. For D >= N the
axes come from the (N, N) Gram matrix, else from the (D, D) one.

Legend: N items, D features, R rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError

Scaling = Literal["feature", "block", "none"]
CHUNK = 8192  # rows read at a time


@dataclass(frozen=True, eq=False)
class Standardiser:
    """What is taken off and divided by, each of shape (D,), float32; constant features get scale 1."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    def apply(self, x_ND: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return (x - mean) / scale, float32."""
        return np.asarray((np.asarray(x_ND, dtype=np.float32) - self.mean) / self.scale)


@dataclass(frozen=True, eq=False)
class Reduced:
    """Rotated features of the training items, and the way back.

    Attributes:
        z: of shape (N, R), float32, centred.
        axes: of shape (D, R), float32, orthonormal columns.
        variance: of shape (R,), float64, the variance of each column of z.
        standardiser: applied before the rotation.
    """

    z: NDArray[np.float32]
    axes: NDArray[np.float32]
    variance: NDArray[np.float64]
    standardiser: Standardiser

    def weights(self, weight_CR: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return weights on standardised features, of shape (C, D), from weights on z, of shape (C, R)."""
        return np.asarray(weight_CR @ self.axes.T.astype(weight_CR.dtype), dtype=np.float32)


def standardiser(
    x_ND: NDArray[np.floating], scaling: Scaling = "feature", name: str = "features"
) -> Standardiser:
    """Measure mean and scale by one chunked pass (two for the deviation, so that large means do no harm).

    Args:
        x_ND: of shape (N, D); may be memory-mapped.
        scaling: "feature" divides each by its deviation, "block" all by the root mean square deviation,
            "none" only centres.
        name: how the block is called in an error.

    Raises:
        DataError: a value is not finite.
    """
    n_items, width = x_ND.shape
    total = np.zeros(width, dtype=np.float64)
    for start in range(0, n_items, CHUNK):
        part = x_ND[start : start + CHUNK]
        total += part.sum(axis=0, dtype=np.float64)
        if not np.isfinite(total).all():
            raise _not_finite(x_ND, name)
    mean = (total / n_items).astype(np.float32)
    squares = np.zeros(width, dtype=np.float64)
    for start in range(0, n_items, CHUNK):
        centred = x_ND[start : start + CHUNK] - mean
        squares += np.einsum("nd,nd->d", centred, centred, dtype=np.float64)
    deviation = np.sqrt(squares / n_items)
    if not np.isfinite(deviation).all():
        raise _not_finite(x_ND, name)
    return Standardiser(mean, _scale(deviation, mean, scaling))


def _scale(
    deviation: NDArray[np.float64], mean: NDArray[np.float32], scaling: Scaling
) -> NDArray[np.float32]:
    """Return what to divide by; deviations that are float32 rounding of the mean count as constant."""
    constant = deviation <= 1e-6 * np.abs(mean) + 1e-12
    if scaling == "feature":
        return np.where(constant, 1.0, deviation).astype(np.float32)
    if scaling == "block":
        size = float(np.sqrt(np.mean(np.square(np.where(constant, 0.0, deviation)))))
        return np.full(len(deviation), size if size > 0 else 1.0, dtype=np.float32)
    return np.ones(len(deviation), dtype=np.float32)


def _not_finite(x_ND: NDArray[np.floating], name: str) -> DataError:
    """Say which items have a value that is not finite."""
    bad: list[int] = []
    for start in range(0, len(x_ND), CHUNK):
        finite = np.isfinite(x_ND[start : start + CHUNK]).all(axis=1)
        bad.extend((np.flatnonzero(~finite) + start).tolist())
    if not bad:
        return DataError(f"The features of {name} are too large to be squared; extract them in fp32.")
    return DataError(
        f"The features of {name} are not finite for {len(bad)} of {len(x_ND)} items (the first is item "
        f"{bad[0]}). Extract them in fp32 (--precision fp32), or look for broken weights or inputs."
    )


def reduce(x_ND: NDArray[np.floating], how: Standardiser) -> Reduced:
    """Rotate standardised features onto their principal axes, exactly.

    Args:
        x_ND: of shape (N, D); may be memory-mapped.
        how: the standardisation, measured on the same items.
    """
    n_items, width = x_ND.shape
    if width < n_items:
        gram = np.zeros((width, width), dtype=np.float64)
        for start in range(0, n_items, CHUNK):
            part = how.apply(x_ND[start : start + CHUNK])
            gram += part.T @ part
        values, vectors = _eigh(gram)
        axes = vectors.astype(np.float32)
        z = np.empty((n_items, len(values)), dtype=np.float32)
        for start in range(0, n_items, CHUNK):
            np.matmul(how.apply(x_ND[start : start + CHUNK]), axes, out=z[start : start + CHUNK])
        return Reduced(z, axes, values / n_items, how)
    x = how.apply(x_ND)
    wide = x.astype(np.float64) if n_items * n_items * width < 4e9 else x
    values, vectors = _eigh((wide @ wide.T).astype(np.float64))
    axes = (x.T @ (vectors / np.sqrt(values)).astype(np.float32)).astype(np.float32)
    return Reduced(x @ axes, axes, values / n_items, how)


def _eigh(gram: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the eigenvalues above rounding, largest first, and their vectors."""
    from scipy.linalg import eigh

    values, vectors = eigh(gram, check_finite=False, overwrite_a=True, driver="evd")
    values, vectors = values[::-1], vectors[:, ::-1]
    keep = values > max(float(values[0]), 1e-30) * 1e-6  # a float32 product has no more
    keep[0] = True
    return np.maximum(values[keep], 1e-30), np.ascontiguousarray(vectors[:, keep])
