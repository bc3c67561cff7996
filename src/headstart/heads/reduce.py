"""Features in a smaller space with the same geometry, so that every linear head is cheap.

Standardised features x (N, D) are rotated onto their principal axes, z = x V, with as many columns as
their rank (at most min(N - 1, D)). The rotation keeps all inner products, so a head with an L2 penalty is
the same in both spaces, and the covariance of z is diagonal, which conditions the solvers. For D >= N the
axes come from the (N, N) Gram matrix, else from the (D, D) one.

Legend: N items, D features, R rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headstart.errors import DataError

Scaling = Literal["feature", "block", "none"]
CHUNK = 8192  # rows read at a time
HARDLY_VARIES = 1e-3  # of the median deviation: such a feature is not scaled up


class RowSource(Protocol):
    """A matrix that is read by slices of rows, so that it need not fit in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""

    def __getitem__(self, rows: slice, /) -> NDArray[np.floating]:
        """Return the rows, of shape (n, D)."""


Rows: TypeAlias = NDArray[np.floating] | RowSource


@dataclass(frozen=True, eq=False)
class Standardiser:
    """What is subtracted and divided by, each of shape (D,), float32; constant features get scale 1."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    def apply(self, x_ND: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return (x - mean) / scale, float32."""
        return np.asarray((np.asarray(x_ND, dtype=np.float32) - self.mean) / self.scale)


@dataclass(frozen=True, eq=False)
class Rotation:
    """The way from raw features to z and back.

    Attributes:
        standardiser: applied first.
        axes: of shape (D, R), float32, orthonormal columns.
        variance: of shape (R,), float64, the variance of each column of z.
    """

    standardiser: Standardiser
    axes: NDArray[np.float32]
    variance: NDArray[np.float64]

    def apply(self, x_ND: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return z of shape (N, R) for raw features of shape (N, D)."""
        return np.asarray(self.standardiser.apply(x_ND) @ self.axes)

    def weights(self, weight_CR: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return weights on standardised features, of shape (C, D), from weights on z, of shape (C, R)."""
        return np.asarray(weight_CR @ self.axes.T.astype(weight_CR.dtype), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Reduced(Rotation):
    """Rotated features of the training items, and the way back.

    Attributes:
        z: of shape (N, R), float32, centred.
    """

    z: NDArray[np.float32]


def standardiser(x_ND: Rows, scaling: Scaling = "feature", name: str = "features") -> Standardiser:
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
    """Return what to divide by; a feature that hardly varies counts as constant.

    That is one whose deviation is float32 rounding of its mean, or far below that of the others: MiniLM has one
    of 3e-9, whose inverse would amplify rounding noise.
    """
    constant = deviation <= 1e-6 * np.abs(mean) + 1e-12
    if not constant.all():
        constant |= deviation < HARDLY_VARIES * np.median(deviation[~constant])
    if scaling == "feature":
        return np.where(constant, 1.0, deviation).astype(np.float32)
    if scaling == "block":
        size = float(np.sqrt(np.mean(np.square(np.where(constant, 0.0, deviation)))))
        return np.full(len(deviation), size if size > 0 else 1.0, dtype=np.float32)
    return np.ones(len(deviation), dtype=np.float32)


def _not_finite(x_ND: Rows, name: str) -> DataError:
    """The error that names the items with a value that is not finite."""
    bad: list[int] = []
    for start in range(0, x_ND.shape[0], CHUNK):
        finite = np.isfinite(x_ND[start : start + CHUNK]).all(axis=1)
        bad.extend((np.flatnonzero(~finite) + start).tolist())
    if not bad:
        return DataError(f"The features of {name} are too large to be squared; extract them in fp32.")
    return DataError(
        f"The features of {name} are not finite for {len(bad)} of {x_ND.shape[0]} items (the first is item "
        f"{bad[0]}). Extract them in fp32 (--precision fp32), or look for broken weights or inputs."
    )


def rotation(x_ND: Rows, how: Standardiser) -> Rotation:
    """Find the principal axes of standardised features, reading rows in chunks when they are many.

    Args:
        x_ND: of shape (N, D); may be memory-mapped or read by slices.
        how: the standardisation, measured on the same items.
    """
    n_items, width = x_ND.shape
    if width < n_items:
        gram = np.zeros((width, width), dtype=np.float64)
        for start in range(0, n_items, CHUNK):
            part = how.apply(x_ND[start : start + CHUNK])
            gram += part.T @ part
        values, vectors = _eigh(gram)
        return Rotation(how, vectors.astype(np.float32), values / n_items)
    x = how.apply(x_ND[:])
    wide = x.astype(np.float64) if n_items * n_items * width < 4e9 else x
    values, vectors = _eigh((wide @ wide.T).astype(np.float64))
    axes = (x.T @ (vectors / np.sqrt(values)).astype(np.float32)).astype(np.float32)
    return Rotation(how, axes, values / n_items)


def reduce(x_ND: Rows, how: Standardiser) -> Reduced:
    """Rotate standardised features onto their principal axes, exactly.

    Args:
        x_ND: of shape (N, D); may be memory-mapped.
        how: the standardisation, measured on the same items.
    """
    found = rotation(x_ND, how)
    z = np.empty((x_ND.shape[0], len(found.variance)), dtype=np.float32)
    for start in range(0, x_ND.shape[0], CHUNK):
        np.matmul(how.apply(x_ND[start : start + CHUNK]), found.axes, out=z[start : start + CHUNK])
    return Reduced(how, found.axes, found.variance, z)


def combine(parts: Sequence[Reduced], n_columns: int) -> Reduced:
    """Put the leading axes of several blocks side by side and rotate them together.

    Blocks are scaled alike by their own standardisation; of each, the same number of leading columns is
    kept, so that all stages together cost no more than one.

    Args:
        parts: B blocks of the same items.
        n_columns: columns in all, at least one for each block.

    Returns:
        Features of the blocks put side by side in this order; `axes` has as many rows as they have features.
    """
    each = max(1, n_columns // len(parts))
    together = np.concatenate([part.z[:, :each] for part in parts], axis=1)
    zero = np.zeros(together.shape[1], dtype=np.float32)
    rotated = reduce(together, Standardiser(zero, zero + 1))
    blocks, start = [], 0
    for part in parts:
        axes = part.axes[:, :each]
        blocks.append(axes @ rotated.axes[start : start + axes.shape[1]])
        start += axes.shape[1]
    how = Standardiser(
        np.concatenate([part.standardiser.mean for part in parts]),
        np.concatenate([part.standardiser.scale for part in parts]),
    )
    return Reduced(how, np.concatenate(blocks), rotated.variance, rotated.z)


def _eigh(gram: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the eigenvalues above rounding, largest first, and their vectors."""
    from scipy.linalg import eigh

    values, vectors = eigh(gram, check_finite=False, overwrite_a=True, driver="evd")
    values, vectors = values[::-1], vectors[:, ::-1]
    keep = values > max(float(values[0]), 1e-30) * 1e-6  # a float32 product has no more digits
    keep[0] = True
    return np.maximum(values[keep], 1e-30), np.ascontiguousarray(vectors[:, keep])
