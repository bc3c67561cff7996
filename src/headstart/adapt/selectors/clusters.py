"""Clusters of the target items, found without any classifier, by k-means.

Legend: M target items, D features.
"""

from __future__ import annotations

import warnings

import numpy as np

from headstart.adapt.domains import Codes, Features
from headstart.adapt.selectors.density import N_LEADING, leading_components

N_STARTS, N_MOST = 10, 5_000


def clusters(target_MD: Features, n_clusters: int, seed: int = 0) -> Codes:
    """Return the cluster of each item, of shape (M,).

    Args:
        target_MD: of shape (M, D); of many features the leading principal components are clustered.
        n_clusters: clusters wanted; fewer if there are fewer items.
        seed: of the starts, and of the `N_MOST` items by which the centres are found if there are more.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    x = np.asarray(target_MD, dtype=np.float64)
    x = leading_components(x - x.mean(axis=0), N_LEADING, seed)
    rows = np.random.default_rng(seed).permutation(len(x))[:N_MOST] if len(x) > N_MOST else slice(None)
    model = KMeans(min(n_clusters, len(x)), n_init=N_STARTS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different items than clusters
        return np.asarray(model.fit(x[rows]).predict(x), dtype=np.int64)
