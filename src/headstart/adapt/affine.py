"""Affine maps of features, and linear classifiers that take such a map into themselves.

    z = ((x - shift) / scale) @ matrix
    logits = z @ weight.T + bias = x @ W.T + b
    W = (weight @ matrix.T) / scale,  b = bias - W @ shift

Legend: N items, D features, R mapped features, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from headstart.adapt.domains import Float


@dataclass(frozen=True, eq=False)
class Affine:
    """An affine map.

    Attributes:
        shift: what is subtracted, of shape (D,).
        scale: what each feature is divided by then, of shape (D,), never 0.
        matrix: of shape (D, R); None: the identity.
    """

    shift: Float
    scale: Float
    matrix: Float | None = None

    def apply(self, x_ND: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return z, of shape (N, R), float32."""
        z_ND = (np.asarray(x_ND, dtype=np.float64) - self.shift) / self.scale
        return (z_ND if self.matrix is None else z_ND @ self.matrix).astype(np.float32)


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """A linear classifier on raw features.

    Attributes:
        weight: of shape (C, D), float64.
        bias: of shape (C,), float64.
    """

    weight: Float
    bias: Float

    @classmethod
    def after(
        cls, affine: Affine, weight_CR: NDArray[np.floating], bias_C: NDArray[np.floating]
    ) -> LinearClassifier:
        """The classifier on raw features whose weights were learned on mapped ones.

        Args:
            affine: the map.
            weight_CR: of shape (C, R).
            bias_C: of shape (C,).
        """
        weight = np.asarray(weight_CR, dtype=np.float64)
        if affine.matrix is not None:
            weight = weight @ affine.matrix.T
        weight = weight / affine.scale
        return cls(weight, np.asarray(bias_C, dtype=np.float64) - weight @ affine.shift)

    def logits(self, x_ND: NDArray[np.floating]) -> Float:
        """Return the scores before the softmax, of shape (N, C)."""
        return np.asarray(np.asarray(x_ND, dtype=np.float64) @ self.weight.T + self.bias)

    def probabilities(self, x_ND: NDArray[np.floating]) -> Float:
        """Return the probabilities of the classes, of shape (N, C)."""
        return np.asarray(softmax(self.logits(x_ND), axis=1))
