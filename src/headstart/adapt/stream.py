"""Adapt to a stream of items in bounded memory: features are moved and scaled to those of the training items.

    count = prior + n
    mean  = (prior * mean_0 + sum of x) / count
    var   = (prior * (var_0 + (mean_0 - mean)^2) + sum of (x - mean)^2) / count
    z     = (x - mean) / deviation * deviation_0 + mean_0

mean_0 and deviation_0 are those of the training items, and count as `prior` items: at the beginning the map is nearly
the identity, and with many items the stream gets the training mean and deviation in every feature. A batch is counted
before it is mapped. Schneider et al. 2020, "Improving robustness against common corruptions by covariate shift
adaptation" (NeurIPS, section 3), mix batch-norm statistics with those of training in this way; here they are those of
the features that the head reads.

It is harmful where the stream has other class shares than the training items, since these move the mean too, and
uncertain with few items.

Legend: N items of a batch, D features.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float

PRIOR = 16  # items that the training statistics count for


class Stream:
    """The statistics of a stream so far, and the map from its features to those of training.

    Args:
        mean: of the training items, of shape (D,).
        deviation: of the training items, of shape (D,); features with 0 are only moved.
        prior: items that these count for.

    Attributes:
        n_items: how many were seen.
    """

    def __init__(self, mean: Float, deviation: Float, prior: float = PRIOR) -> None:
        self._mean_0 = np.asarray(mean, dtype=np.float64)
        self._deviation_0 = np.asarray(deviation, dtype=np.float64)
        self._prior = prior
        self.n_items = 0
        self._sum = np.zeros_like(self._mean_0)  # of x - mean_0, so that squares of large means do no harm
        self._squares = np.zeros_like(self._mean_0)

    def see(self, x_ND: NDArray[np.floating]) -> None:
        """Count a batch; an item with a value that is not finite is left out, else no later one could be mapped.

        Args:
            x_ND: of shape (N, D).
        """
        centred = np.asarray(x_ND, dtype=np.float64) - self._mean_0
        centred = centred[np.isfinite(centred).all(axis=1)]
        self.n_items += len(centred)
        self._sum += centred.sum(axis=0)
        self._squares += np.einsum("nd,nd->d", centred, centred)

    @property
    def mean(self) -> Float:
        """Of training and stream, of shape (D,)."""
        return np.asarray(self._mean_0 + self._sum / (self._prior + self.n_items))

    @property
    def deviation(self) -> Float:
        """Of training and stream, of shape (D,)."""
        count = self._prior + self.n_items
        moment = (self._prior * np.square(self._deviation_0) + self._squares) / count
        return np.asarray(np.sqrt(np.maximum(moment - np.square(self._sum / count), 0.0)))

    def map(self, x_ND: NDArray[np.floating]) -> NDArray[np.float32]:
        """Move and scale features to those of training, of shape (N, D), float32.

        Args:
            x_ND: of shape (N, D).
        """
        known = (self.deviation > 0) & (self._deviation_0 > 0)
        ratio = np.divide(self._deviation_0, self.deviation, out=np.ones_like(self._mean_0), where=known)
        return np.asarray(
            (np.asarray(x_ND, dtype=np.float64) - self.mean) * ratio + self._mean_0, dtype=np.float32
        )
