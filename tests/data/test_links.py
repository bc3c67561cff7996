"""Linked items: chains are followed, and the rest is left alone."""

from __future__ import annotations

import numpy as np

from headstart.data.links import linked_sets, owners_of


def test_chains_make_one_set() -> None:
    pairs = np.array([[7, 9], [1, 4], [4, 2], [9, 11]])
    assert [members.tolist() for members in linked_sets(pairs)] == [[1, 2, 4], [7, 9, 11]]


def test_no_pairs() -> None:
    assert linked_sets(np.zeros((0, 2), np.int64)) == []
    assert len(set(owners_of(np.zeros((0, 2), np.int64), 4))) == 4


def test_owners_agree_with_the_sets() -> None:
    owners = owners_of(np.array([[0, 3], [3, 1]]), 5)
    assert owners[0] == owners[1] == owners[3]
    assert len({owners[0], owners[2], owners[4]}) == 3
