"""Shingles of texts and their MinHash sketches, for a batch of texts at once.

A shingle is five characters in a row of the normalised text, kept as a 64-bit hash. A sketch has B bins, and two texts
agree in a bin with the probability of their Jaccard similarity, the share of shingles that they have in common
(Broder 1997, "On the resemblance and containment of documents"). Every shingle goes to one bin, which keeps the
smallest hash; bins that stay empty are filled in further rounds with other hashes (Dahlgaard, Knudsen, Thorup 2017,
"Fast similarity sketching"). So the work grows with the length of a text, not with length times B. Of each bin 8 bits
are kept (Li and König 2010, "b-bit minwise hashing"): bins of different content agree once in 256.

Legend: N texts, S shingles of all of them, B bins of a sketch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from headstart.data.items import Item
from headstart.data.scanning import normalised_text

N_BINS = 128
WIDTH = 5  # characters of a shingle
MOST_CHARACTERS = 100_000  # of a text that are looked at
_AT_ONCE = 1_000_000  # characters of a batch
_ROUNDS = 48  # after which fewer than 1 of 1,000 texts of 36 characters has an empty bin
_ROUND_BITS = 6
_FULL = np.uint64(2**64 - 1)


def shingles(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The hashed shingles of texts, in the order of the texts.

    Args:
        texts: N normalised texts.

    Returns:
        uint64 (S,) hashes, a repeated shingle once for each time, and int64 (S,) the text of each. A text shorter than
        a shingle has none.
    """
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    characters = np.frombuffer(joined, dtype="<u4").astype(np.uint64)
    if len(characters) < WIDTH:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    n_windows = len(characters) - WIDTH + 1
    hashes = np.zeros(n_windows, dtype=np.uint64)
    for offset in range(WIDTH):
        hashes *= np.uint64(0x9E3779B97F4A7C15)
        hashes += characters[offset : offset + n_windows]
    owners = np.repeat(np.arange(len(texts)), lengths)
    inside = owners[:n_windows] == owners[WIDTH - 1 :]  # a window over the end of a text is no shingle
    return _mixed(hashes[inside]), owners[:n_windows][inside]


def shingle_set(item: Item) -> np.ndarray:
    """The distinct shingles of one text, uint64, sorted.

    Args:
        item: a text.
    """
    return np.unique(shingles([comparable(item)])[0])


def comparable(item: Item) -> str:
    """What is compared of a text: its beginning, without case, punctuation and white space."""
    return normalised_text(str(item)[:MOST_CHARACTERS])


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """The share of shingles that two texts have in common.

    Args:
        one: `shingle_set` of a text.
        other: of another.
    """
    n_shared = len(np.intersect1d(one, other, assume_unique=True))
    return n_shared / max(1, len(one) + len(other) - n_shared)


def sketches(texts: Sequence[str]) -> np.ndarray:
    """The sketches of normalised texts, uint8 of shape (N, B).

    Args:
        texts: N texts, as `comparable` returns them.
    """
    found = np.zeros((len(texts), N_BINS), dtype=np.uint8)
    for start, end in _batches([len(text) for text in texts]):
        found[start:end] = _sketched(*shingles(texts[start:end]), end - start)
    return found


def _batches(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ranges of texts with about `_AT_ONCE` characters each."""
    start = n_characters = 0
    for index, length in enumerate(lengths):
        if n_characters and n_characters + length > _AT_ONCE:
            yield start, index
            start, n_characters = index, 0
        n_characters += length
    if start < len(lengths):
        yield start, len(lengths)


def _sketched(hashes: np.ndarray, owners: np.ndarray, n_texts: int) -> np.ndarray:
    """uint8 (n_texts, B). The round is in the upper bits of what a bin keeps, so that an earlier one is smaller."""
    kept = np.full(n_texts * N_BINS, _FULL)
    for number in range(_ROUNDS):
        drawn = _mixed(hashes + np.uint64(number * 0x632BE59BD9B4E019 % 2**64))
        bins = owners * N_BINS + (drawn & np.uint64(N_BINS - 1)).astype(np.int64)
        drawn >>= np.uint64(_ROUND_BITS)
        drawn |= np.uint64(number) << np.uint64(64 - _ROUND_BITS)
        np.minimum.at(kept, bins, drawn)
        unfinished = (kept == _FULL).reshape(n_texts, N_BINS).any(axis=1)
        if not unfinished.any():
            break
        left = unfinished[owners]
        hashes, owners = hashes[left], owners[left]
        if not len(hashes):
            break
    return np.asarray(_mixed(kept) & np.uint64(0xFF), dtype=np.uint8).reshape(n_texts, N_BINS)


def _mixed(values: np.ndarray) -> np.ndarray:
    """Hash 64-bit integers (the finaliser of splitmix64; Steele, Lea, Flood 2014)."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return np.asarray(mixed)
