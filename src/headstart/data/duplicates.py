"""Copies and near copies, without comparing every pair in Python.

Two fingerprints are near if the correlation of their bytes is high. Up to 20,000 items all pairs are
compared in blocks of a matrix product; beyond that only items that fall into one bucket of a
random-hyperplane hash (Charikar 2002) are compared, over several hashes, so that a near copy is missed
rarely and time stays linear.

Legend: N items, F bytes of a fingerprint, P pairs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

EXACT_UP_TO = 20_000
_BLOCK = 2048
_N_HASHES = 8
_BUCKET = 32  # items per bucket on average
_MAX_PAIRS = 100_000


def equal_groups(keys: np.ndarray) -> list[np.ndarray]:
    """Positions that share a key, for every key that occurs more than once.

    Args:
        keys: (N,) strings; "" stands for no key.

    Returns:
        Sorted position arrays of two or more, by first position.
    """
    codes, counts = np.unique(keys.astype(str), return_inverse=True, return_counts=True)[1:]
    repeated = np.flatnonzero((counts[codes] > 1) & (keys != ""))
    if len(repeated) == 0:
        return []
    order = repeated[np.argsort(codes[repeated], kind="stable")]
    bounds = np.flatnonzero(np.diff(codes[order])) + 1
    return sorted(np.split(order, bounds), key=lambda group: int(group[0]))


def near_pairs(fingerprints: np.ndarray, threshold: float, seed: int = 0) -> np.ndarray:
    """Pairs of fingerprints whose correlation reaches a threshold.

    Args:
        fingerprints: uint8 (N, F).
        threshold: correlation from which two are near, such as 0.988.
        seed: of the hashes (used beyond `EXACT_UP_TO` items).

    Returns:
        int64 (P, 2), first < second, sorted; at most 100,000 pairs. Flat fingerprints (no contrast) match no
        others.
    """
    if len(fingerprints) <= EXACT_UP_TO:
        return _near_in(fingerprints, _all_blocks(len(fingerprints)), threshold)
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1, "blas"):  # with several threads, products this small take many times as long
        return _near_in(fingerprints, _buckets(fingerprints, seed), threshold)


def near_between(fingerprints: np.ndarray, others: np.ndarray, threshold: float) -> np.ndarray:
    """Pairs of a fingerprint and another one whose correlation reaches a threshold.

    Args:
        fingerprints: uint8 (N, F).
        others: uint8 (M, F), few enough for a matrix of `_BLOCK` by M.
        threshold: see `near_pairs`.

    Returns:
        int64 (P, 2): a row of `fingerprints`, a row of `others`; by the rows of `fingerprints`.
    """
    right = _unit(others)
    found = [np.zeros((0, 2), dtype=np.int64)]
    for start in range(0, len(fingerprints), _BLOCK):
        first, second = np.nonzero(_unit(fingerprints[start : start + _BLOCK]) @ right.T >= threshold)
        found.append(np.stack([first + start, second], axis=1))
    return np.concatenate(found)


def _near_in(
    fingerprints: np.ndarray, blocks: Iterator[tuple[np.ndarray, np.ndarray]], threshold: float
) -> np.ndarray:
    """Near pairs (P, 2) among the rows and columns of some blocks."""
    found: list[np.ndarray] = []
    n_found = 0
    for rows, columns in blocks:
        left = _unit(fingerprints[rows])
        near = (left @ (left if rows is columns else _unit(fingerprints[columns])).T) >= threshold
        if near.any():
            first, second = np.nonzero(near)
            pairs = np.stack([rows[first], columns[second]], axis=1)
            pairs = pairs[pairs[:, 0] < pairs[:, 1]][:_MAX_PAIRS]
            found.append(pairs)
            n_found += len(pairs)
        if n_found >= 2 * _MAX_PAIRS:
            break
    if n_found == 0:
        return np.zeros((0, 2), dtype=np.int64)
    return np.asarray(np.unique(np.concatenate(found), axis=0)[:_MAX_PAIRS])


def _unit(fingerprints: np.ndarray) -> np.ndarray:
    """float32 (N, F) rows of mean 0 and length 1; flat rows become zeros."""
    centred = fingerprints.astype(np.float32)
    centred -= centred.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(np.where(length > 1.0, centred / np.maximum(length, 1.0), 0.0))


def _all_blocks(n_items: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of positions that together hold every pair once."""
    parts = [np.arange(start, min(start + _BLOCK, n_items)) for start in range(0, n_items, _BLOCK)]
    for index, rows in enumerate(parts):
        for columns in parts[index:]:
            yield rows, columns


def _buckets(fingerprints: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions that share a bucket, for each of several hashes; large buckets are cut by further bits."""
    generator = np.random.default_rng(seed)
    n_items, width = fingerprints.shape
    n_bits = max(1, int(np.ceil(np.log2(n_items / _BUCKET)))) + 4
    sample = _unit(fingerprints[generator.choice(n_items, min(n_items, 4096), replace=False)])
    for _ in range(_N_HASHES):
        directions = generator.standard_normal((width, n_bits)).astype(np.float32)
        middle = np.median(sample @ directions, axis=0)  # so that each bit halves the set
        bits = np.concatenate(
            [
                _unit(fingerprints[start : start + 8192]) @ directions > middle
                for start in range(0, n_items, 8192)
            ]
        )
        yield from _bucket_of(np.arange(n_items), bits, n_bits - 4)


def _bucket_of(
    positions: np.ndarray, bits: np.ndarray, n_bits: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    codes = bits[:, :n_bits] @ (1 << np.arange(n_bits))
    order = np.argsort(codes, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        if len(part) < 2:
            continue
        inside = positions[part]
        if len(inside) > _BLOCK and n_bits < bits.shape[1]:
            yield from _bucket_of(inside, bits[part], n_bits + 1)
        else:
            for start in range(0, len(inside), _BLOCK):
                block = inside[start : start + _BLOCK]
                yield block, block
