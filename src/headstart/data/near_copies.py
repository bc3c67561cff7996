"""Near copies: items that look, sound or read nearly the same without being the same.

Items linked by a chain of near pairs make a set, which counts as one item in splits and intervals, as exact copies do.
A set of more than `MOST` items, or of more than half of the data, is no set of copies but a pattern: forms that were
filled in, pictures of one empty scene. Its items are taken for different ones, and a finding says so, since one unit of
thousands would leave nothing to split.

Legend: N items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.data.duplicates import near_pairs
from headstart.data.examples import Examples
from headstart.data.items import take_items
from headstart.data.links import linked_sets
from headstart.data.near_texts import MOST_COMPARED, near_sets
from headstart.data.scanning import Scan

# Calibrated on real sets: the closest different pictures reach .985 (chest X-rays), copies re-encoded at JPEG
# quality 40 stay above .995; the closest different recordings (one speaker, one word) reach .990.
NEAR = {"image": 0.988, "audio": 0.995}
_NEAR_SECONDS = 0.02  # of their duration, by which near recordings may differ
MOST = MOST_COMPARED


@dataclass(frozen=True, eq=False)
class NearCopies:
    """Which items are near copies; of exact copies only the first is named.

    Attributes:
        sets: sorted positions of two items or more, each linked to another of its set.
        patterns: the same of sets that are too large for copies.
    """

    sets: Sequence[np.ndarray] = ()
    patterns: Sequence[np.ndarray] = ()

    def joined(self, keys: np.ndarray) -> np.ndarray:
        """What makes two items belong together: the key of the first of their set, else their own.

        Args:
            keys: (N,) what makes two items the same (`identity`).
        """
        first = {keys[position]: keys[members[0]] for members in self.sets for position in members}
        joined = np.empty(len(keys), dtype=object)
        joined[:] = [first.get(key, key) for key in keys]
        return joined


def near_copies(examples: Examples, scan: Scan, keys: np.ndarray) -> NearCopies:
    """Find near copies.

    Args:
        examples: N items.
        scan: what one pass over them found.
        keys: (N,) what makes two items the same (`identity`), "" where unreadable.
    """
    readable = np.flatnonzero(keys != "")
    if len(readable) < 2:
        return NearCopies()
    first = readable[np.sort(np.unique(keys[readable].astype(str), return_index=True)[1])]
    if examples.modality == "text":
        found = [first[members] for members in near_sets(take_items(examples.items, first))]
    else:
        found = linked_sets(_near_fingerprints(examples.modality, scan, first))
    limit = min(MOST, len(first) // 2)
    return NearCopies(
        [members for members in found if len(members) <= limit],
        [members for members in found if len(members) > limit],
    )


def _near_fingerprints(modality: str, scan: Scan, positions: np.ndarray) -> np.ndarray:
    """Pairs of positions with near fingerprints, and durations, int64 (P, 2)."""
    pairs = positions[near_pairs(scan.fingerprints[positions], NEAR[modality])]
    if scan.seconds is not None:
        pairs = pairs[equally_long(scan.seconds[pairs[:, 0]], scan.seconds[pairs[:, 1]])]
    return np.asarray(pairs)


def equally_long(seconds: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(P,) bool: whether two recordings are about equally long, as near copies are.

    Args:
        seconds: (P,) durations.
        others: (P,) those that they are compared with.
    """
    return np.asarray(np.abs(seconds / others - 1.0) < _NEAR_SECONDS)
