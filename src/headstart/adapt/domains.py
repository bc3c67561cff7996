"""What an adaptation sees: features of source items with labels, and of target items without.

Legend: N source items, M target items, D features, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]
Codes = NDArray[np.int64]
Float = NDArray[np.float64]
Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Domains:
    """A labelled source domain and an unlabelled target domain.

    Attributes:
        source_ND: features of the source items, of shape (N, D).
        codes_N: classes of the source items, of shape (N,), from 0 to C - 1.
        target_MD: features of the target items, of shape (M, D).
        n_classes: C.
        penalty: of a logistic regression on the source, per item (see `heads.logistic`).
        shares_C: estimated shares of the classes in the target, of shape (C,); None: as in the source.
        balancing_M: weights of target items with which their classes have the shares of the source, of shape (M,);
            None: not known.
        groups_N: what folds keep together, of shape (N,); None: nothing.
        seed: random seed of whatever is drawn.
    """

    source_ND: Features
    codes_N: Codes
    target_MD: Features
    n_classes: int
    penalty: float = 0.01
    shares_C: Float | None = None
    balancing_M: Float | None = None
    groups_N: NDArray[np.object_] | None = None
    seed: int = 0

    @cached_property
    def source_shares_C(self) -> Float:
        """Shares of the classes in the source, of shape (C,)."""
        counts = np.bincount(self.codes_N, minlength=self.n_classes)
        return np.asarray(counts / counts.sum(), dtype=np.float64)

    @cached_property
    def weights_N(self) -> Float:
        """Weight of each source item, of shape (N,), mean 1: classes then have their shares of the target."""
        if self.shares_C is None:
            return np.ones(len(self.codes_N))
        ratio_C = self.shares_C / np.maximum(self.source_shares_C, 1e-12)
        weights = ratio_C[self.codes_N]
        return np.asarray(weights / weights.mean())

    @property
    def aligning_N(self) -> Float:
        """Weight of each source item in an alignment, of shape (N,), mean 1.

        If the target's items are balanced, the source stays as it is; else its classes get their shares of the target.
        """
        return self.weights_N if self.balancing_M is None else np.ones(len(self.codes_N))

    def with_features(self, source_NR: Features, target_MR: Features) -> Domains:
        """The same items with other features.

        Args:
            source_NR: of the source items.
            target_MR: of the target items.
        """
        return replace(self, source_ND=source_NR, target_MD=target_MR)
