"""Near pairs: the blocks agree with the plain computation, the buckets find what is near."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.data import duplicates
from headstart.data.duplicates import equal_groups, near_between, near_pairs
from headstart.data.examples import string_array


def fingerprints(n_items: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (n_items, 8, 8)).astype(np.uint8)
    return coarse.repeat(2, 1).repeat(2, 2).reshape(n_items, 256)


def with_copies(n_items: int, n_copies: int) -> np.ndarray:
    made = fingerprints(n_items)
    noise = np.random.default_rng(1).integers(-8, 9, (n_copies, 256))
    made[-n_copies:] = np.clip(made[:n_copies].astype(int) + noise, 0, 255)
    return made


def test_blocks_agree_with_the_plain_computation() -> None:
    made = with_copies(300, 20)
    plain = np.corrcoef(made.astype(float))
    expected = np.argwhere(np.triu(plain, 1) >= 0.988)
    np.testing.assert_array_equal(near_pairs(made, 0.988), expected)
    assert len(expected) == 20


def test_buckets_find_the_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    made = with_copies(3000, 100)
    expected = near_pairs(made, 0.988)
    monkeypatch.setattr(duplicates, "EXACT_UP_TO", 100)
    found = near_pairs(made, 0.988)
    assert len(expected) == 100
    assert len(found) >= 98 and {tuple(pair) for pair in found} <= {tuple(pair) for pair in expected}


def test_one_crowded_bucket_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "EXACT_UP_TO", 100)
    crowd = np.repeat(fingerprints(1), 5000, axis=0)
    assert len(near_pairs(crowd, 0.988)) == 100_000


def test_flat_pictures_pair_with_none() -> None:
    assert len(near_pairs(np.full((5, 256), 7, np.uint8), 0.988)) == 0
    assert near_pairs(np.zeros((0, 256), np.uint8), 0.9).shape == (0, 2)


def test_equal_groups() -> None:
    groups = equal_groups(string_array(["x", "", "y", "x", "", "y", "z", "x"]))
    assert [group.tolist() for group in groups] == [[0, 3, 7], [2, 5]]
    assert equal_groups(string_array("abc")) == []


def test_near_between_agrees_with_the_plain_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    made = with_copies(90, 20)
    monkeypatch.setattr(duplicates, "_BLOCK", 16)
    found = near_between(made[:50], made[50:], 0.988)
    plain = np.corrcoef(made.astype(float))[:50, 50:]
    np.testing.assert_array_equal(found, np.argwhere(plain >= 0.988))
    assert len(found) == 20
    assert near_between(made[:0], made, 0.9).shape == near_between(made, made[:0], 0.9).shape == (0, 2)
