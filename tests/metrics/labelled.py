"""Labels with ties in their scores, for several tests."""

from __future__ import annotations

import numpy as np


def labels(n_items: int = 120, n_labels: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n_items, n_labels)).round(1)  # with ties
    y = (scores + rng.normal(size=scores.shape) > np.linspace(0, 1.5, n_labels)).astype(np.float32)
    return y, 1 / (1 + np.exp(np.linspace(0, 1, n_labels) - scores))
