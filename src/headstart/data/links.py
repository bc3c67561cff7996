"""Items that are linked by pairs, directly or by a chain of others: connected components of a graph.

Legend: N items, P pairs.
"""

from __future__ import annotations

import numpy as np


def owners_of(pairs: np.ndarray, n_items: int) -> np.ndarray:
    """(N,) a number that is equal for items which are linked.

    Args:
        pairs: int64 (P, 2) positions.
        n_items: N.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(n_items, n_items))
    return np.asarray(connected_components(graph, directed=False)[1])


def linked_sets(pairs: np.ndarray) -> list[np.ndarray]:
    """The sets of two or more positions that are linked: sorted arrays, by first position.

    Args:
        pairs: int64 (P, 2) positions.
    """
    if not len(pairs):
        return []
    positions, rows = np.unique(pairs, return_inverse=True)
    owners = owners_of(rows.reshape(pairs.shape), len(positions))
    order = np.argsort(owners, kind="stable")
    parts = np.split(positions[order], np.flatnonzero(np.diff(owners[order])) + 1)
    return sorted(parts, key=lambda part: int(part[0]))
