"""Items to label: the uncertain ones, spread, each once; how many."""

from __future__ import annotations

import numpy as np

from headstart.adapt.shift.to_label import n_to_label, to_label


def test_uncertain_items_of_every_cluster() -> None:
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(5), 40)
    x = 20 * np.eye(5)[cluster] + rng.normal(size=(200, 5))
    first = np.where(np.arange(200) % 2 == 0, 0.55, 0.99)
    found = to_label(x, np.stack([first, 1 - first], axis=1), 10)
    chosen = np.array(found)
    assert len(set(chosen)) == 10 and (chosen % 2 == 0).all()
    assert set(cluster[chosen]) == set(range(5))


def test_copies_and_more_than_there_are() -> None:
    x = np.zeros((6, 2))
    p = np.full((6, 3), 1 / 3)
    assert sorted(to_label(x, p, 50)) == list(range(6))
    assert to_label(x, p, 3, seed=1) == to_label(x, p, 3, seed=1)


def test_how_many() -> None:
    assert [n_to_label(2, 1000), n_to_label(7, 1000), n_to_label(500, 5000)] == [20, 70, 200]
    assert n_to_label(7, 30) == 15 and n_to_label(2, 1) == 1
    assert len(to_label(np.eye(40), np.full((40, 2), 0.5))) == 20
