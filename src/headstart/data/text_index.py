"""Texts that can be looked for among many others, which are given part by part: near copies of them.

Legend: M texts that are looked for, N texts of a part, P pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from headstart.data.exchanged_words import has_exchanged_words
from headstart.data.items import Item
from headstart.data.near_texts import N_BANDS, band_keys, sketched, verified
from headstart.data.text_sketches import comparable, shingle_set

_MOST_CANDIDATES = 16  # of the M texts for one text and one band, so that a template stays affordable
_SETS_KEPT = 2048  # of shingles


class TextIndex:
    """Some texts, by their sketches.

    Args:
        items: M texts.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._rows, self._sketches = sketched(items)
        self._shingles = lru_cache(_SETS_KEPT)(lambda place: shingle_set(items[int(self._rows[place])]))

    def near(self, rows: np.ndarray, others: Sequence[Item]) -> list[tuple[int, int]]:
        """Pairs of one of the M texts and a near copy of it in a part.

        Of a template of many texts a few near copies may be missed, since only some candidates are compared.

        Args:
            rows: of the M texts that are looked for.
            others: N texts of a part.

        Returns:
            Row and position in the part, sorted.
        """
        wanted = np.flatnonzero(np.isin(self._rows, rows))
        positions, theirs = sketched(others)
        if not len(wanted) or not len(positions):
            return []
        pairs = self._candidates(wanted, theirs)
        shingles_of = lru_cache(_SETS_KEPT)(lambda place: shingle_set(others[int(positions[place])]))
        near = verified(pairs, self._sketches, theirs, self._shingles, shingles_of)
        found = [(int(self._rows[own]), int(positions[other])) for own, other in near.tolist()]
        return [pair for pair in found if self._is_copy(pair, others)]

    def _candidates(self, wanted: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """Pairs of a sketch of the M texts and one of a part that agree in a band, int64 (P, 2), sorted."""
        found = [np.zeros((0, 2), dtype=np.int64)]
        for band in range(N_BANDS):
            keys = band_keys(self._sketches[wanted], band)
            order = np.argsort(keys, kind="stable")
            sought = band_keys(theirs, band)
            starts, ends = (np.searchsorted(keys[order], sought, side) for side in ("left", "right"))
            for step in range(_MOST_CANDIDATES):
                reach = np.flatnonzero(starts + step < ends)
                if not len(reach):
                    break
                found.append(np.stack([wanted[order[starts[reach] + step]], reach], axis=1))
        return np.unique(np.concatenate(found), axis=0)

    def _is_copy(self, pair: tuple[int, int], others: Sequence[Item]) -> bool:
        own, other = comparable(self._items[pair[0]]), comparable(others[pair[1]])
        return not has_exchanged_words(own, other)
