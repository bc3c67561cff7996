"""Nuclear norm, mutual information and ClassAMI: their limits, and clusters."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, strategies

from headstart.adapt.selectors.class_ami import class_ami
from headstart.adapt.selectors.clusters import clusters
from headstart.adapt.selectors.predictions import mutual_information, nuclear_norm


@given(strategies.integers(0, 10_000), strategies.integers(1, 40), strategies.integers(2, 9))
def test_limits(seed: int, n_items: int, n_classes: int) -> None:
    p = np.random.default_rng(seed).dirichlet(np.full(n_classes, 0.3), n_items)
    assert 0 < nuclear_norm(p) <= 1 + 1e-9
    assert -1e-9 <= mutual_information(p) <= np.log(n_classes) + 1e-9


def test_certain_and_balanced_predictions_are_the_largest() -> None:
    p = np.eye(4)[np.arange(40) % 4]
    assert nuclear_norm(p) == pytest.approx(1) and mutual_information(p) == pytest.approx(np.log(4))
    constant = np.eye(4)[np.zeros(40, dtype=int)]
    assert nuclear_norm(constant) == pytest.approx(0.5) and mutual_information(constant) == pytest.approx(0)
    even = np.full((40, 4), 0.25)
    assert nuclear_norm(even) == pytest.approx(0.25) and mutual_information(even) == pytest.approx(0)


def test_clusters_of_blobs_agree_with_their_classes() -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(90) % 3
    x = 9 * rng.normal(size=(3, 200))[codes] + rng.normal(size=(90, 200))
    found = clusters(x, 3)
    assert class_ami(codes, found) == pytest.approx(1)
    assert abs(class_ami(rng.permutation(codes), found)) < 0.1


def test_fewer_items_than_clusters_and_equal_items() -> None:
    assert len(clusters(np.eye(2), 5)) == 2
    assert len(set(clusters(np.ones((6, 3)), 4))) == 1


def test_many_items_are_clustered_by_the_centres_of_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    # by module: `headstart.adapt` as an attribute is the verb
    monkeypatch.setattr(import_module("headstart.adapt.selectors.clusters"), "N_MOST", 30)
    rng = np.random.default_rng(0)
    codes = np.arange(300) % 3
    found = clusters(9 * rng.normal(size=(3, 5))[codes] + rng.normal(size=(300, 5)), 3)
    assert class_ami(codes, found) == pytest.approx(1)
