"""Near copies of texts: candidates from MinHash sketches, each verified by its exact Jaccard similarity.

Texts that agree in all bins of a band of their sketches are candidates (locality-sensitive hashing; Indyk and Motwani
1998; Leskovec, Rajaraman, Ullman, "Mining of massive datasets", chapter 3). With K bands of R bins a pair of similarity
J becomes one with probability 1 - (1 - J^R)^K: 99% at the threshold, 1 in 4,000 at the .1 of unrelated texts.
Candidates are verified band by band, and those that are linked already are left out. So a template of thousands of
texts takes as many comparisons as texts, not as pairs. Short texts with exchanged words are separated in the end
(`exchanged_words`).

Legend: N texts, B bins of a sketch, P pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from headstart.data.exchanged_words import LONG_CHARACTERS, has_exchanged_words
from headstart.data.items import Item, take_items
from headstart.data.links import linked_sets, owners_of
from headstart.data.text_sketches import N_BINS, comparable, jaccard, shingle_set, sketches
from headstart.progress import progress

NEAR = 0.7  # docs/data.md has the measurements behind this and the next number
LEAST_CHARACTERS = 36  # of the normalised text: of shorter ones no two are taken for near copies
MOST_COMPARED = 20  # texts of a set, of which all pairs are compared for exchanged words
_ROWS = 5  # bins of a band
N_BANDS = N_BINS // _ROWS
_LIKELY = (
    NEAR - 0.12
)  # share of equal bins below which a pair is not verified: 3 standard errors of the estimate
_SMALL_BUCKET = 8  # of which all pairs are candidates
_CHUNK = 1024
_SETS_KEPT = 2048  # of shingles, while pairs are verified


def near_sets(items: Sequence[Item]) -> list[np.ndarray]:
    """Sets of texts that are linked by pairs of near copies.

    Args:
        items: N texts, no two of which are equal in their normalised form.

    Returns:
        Sorted position arrays of two or more, by first position. Two texts of a set need not be near each other: there
        is a chain of near ones between them.
    """
    positions, found = _sketches_of(items)
    shingles_of = lru_cache(_SETS_KEPT)(lambda row: shingle_set(items[int(positions[row])]))
    owners = np.arange(len(positions))
    linked = np.zeros((0, 2), dtype=np.int64)
    for band in range(N_BANDS if len(positions) > 1 else 0):
        for pairs in _candidates(band_keys(found, band)):
            pairs = pairs[owners[pairs[:, 0]] != owners[pairs[:, 1]]]
            near = verified(pairs, found, found, shingles_of, shingles_of)
            if len(near):
                linked = np.concatenate([linked, near])
                owners = owners_of(linked, len(positions))
    sets = [part for members in linked_sets(linked) for part in _told_apart(items, positions[members])]
    return sorted(sets, key=lambda members: int(members[0]))


def _told_apart(items: Sequence[Item], members: np.ndarray) -> list[np.ndarray]:
    """A set without the links between short texts with exchanged words: one or more sets, or none.

    A set of more than `MOST_COMPARED` stays as it is.
    """
    texts = [comparable(items[int(position)]) for position in members]
    if len(members) > MOST_COMPARED or min(map(len, texts)) >= LONG_CHARACTERS:
        return [members]
    own = [shingle_set(text) for text in texts]
    near = [
        (one, other)
        for one, other in combinations(range(len(texts)), 2)
        if jaccard(own[one], own[other]) >= NEAR and not has_exchanged_words(texts[one], texts[other])
    ]
    return [members[part] for part in linked_sets(np.array(near, dtype=np.int64))]


def _sketches_of(items: Sequence[Item]) -> tuple[np.ndarray, np.ndarray]:
    """`sketched`, with a bar."""
    found = [(np.zeros(0, np.int64), np.zeros((0, N_BINS), np.uint8))]
    with progress("Comparing the texts", total=len(items), unit="texts") as advance:
        for start in range(0, len(items), _CHUNK):
            part = np.arange(start, min(start + _CHUNK, len(items)))
            positions, own = sketched(take_items(items, part))
            found.append((start + positions, own))
            advance(len(part))
    return np.concatenate([each[0] for each in found]), np.concatenate([each[1] for each in found])


def sketched(items: Sequence[Item]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the texts that are long enough for one changed letter to leave them near copies, int64, and
    their sketches, uint8 of shape (n_long, B).

    Args:
        items: N texts.
    """
    texts = [comparable(item) for item in items]
    positions = [index for index, text in enumerate(texts) if len(text) >= LEAST_CHARACTERS]
    return np.array(positions, dtype=np.int64), sketches([texts[index] for index in positions])


def band_keys(found: np.ndarray, band: int) -> np.ndarray:
    """(N,) uint64: equal for texts that agree in all bins of a band.

    Args:
        found: uint8 (N, B) sketches.
        band: its number.
    """
    keys = np.zeros(len(found), dtype=np.uint64)
    for column in found[:, band * _ROWS : (band + 1) * _ROWS].T:
        keys = (keys << np.uint64(8)) | column.astype(np.uint64)
    return keys


def _candidates(keys: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs of rows with equal keys, int64 (P, 2): each row with the first of its bucket, with the next one, and in
    small buckets with all others. They come in turn, so that what the first ones link is not compared again."""
    order = np.argsort(keys, kind="stable")
    starts = np.concatenate([[0], np.flatnonzero(np.diff(keys[order])) + 1])
    sizes = np.diff(np.concatenate([starts, [len(order)]]))
    firsts, ends = np.repeat(starts, sizes), np.repeat(starts + sizes, sizes)
    places = np.arange(len(order))
    follows = places > firsts
    yield np.stack([order[firsts[follows]], order[places[follows]]], axis=1)
    for step in range(1, _SMALL_BUCKET):
        reach = places + step < ends
        if step > 1:
            reach &= np.repeat(sizes, sizes) <= _SMALL_BUCKET
        yield np.stack([order[places[reach]], order[places[reach] + step]], axis=1)


def verified(
    pairs: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    left_shingles: Callable[[int], np.ndarray],
    right_shingles: Callable[[int], np.ndarray],
) -> np.ndarray:
    """The candidates that are near copies: by their sketches first, then by all of their shingles.

    Args:
        pairs: int64 (P, 2): a row of `left` and one of `right` each.
        left: uint8 (N, B) sketches.
        right: the same of others, or the same ones.
        left_shingles: row to its `shingle_set`.
        right_shingles: the same.
    """
    likely = np.zeros(len(pairs), dtype=bool)
    for start in range(0, len(pairs), 65536):
        rows = pairs[start : start + 65536]
        likely[start : start + 65536] = (left[rows[:, 0]] == right[rows[:, 1]]).mean(axis=1) >= _LIKELY
    pairs = pairs[likely]
    near = [jaccard(left_shingles(one), right_shingles(other)) >= NEAR for one, other in pairs.tolist()]
    return np.asarray(pairs[np.array(near, dtype=bool)])
