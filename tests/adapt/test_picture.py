"""Two domains in the plane: the axes of PCA, how well they are mixed, UMAP where it is installed."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.adapt import Domains
from headstart.adapt.picture import MOST_POINTS, own_neighbours, picture


def pair(n_source: int = 40, n_target: int = 30, apart: float = 0.0, n_features: int = 5) -> Domains:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n_source, n_features)) * [3, 2, *[0.1] * (n_features - 2)]
    y = rng.normal(size=(n_target, n_features)) * [3, 2, *[0.1] * (n_features - 2)] + apart
    codes = np.arange(n_source) % 2
    return Domains(x.astype(np.float32), codes, y.astype(np.float32), 2)


@pytest.fixture(autouse=True)
def without_umap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[picture.__module__], "_umap_is_installed", lambda: False)


def test_places_are_on_the_principal_axes() -> None:
    domains = pair()
    found = picture(domains, None)
    assert found is not None and found.after is None and found.projection == "PCA"
    places = np.concatenate([found.before.source_N2, found.before.target_M2])
    x = np.concatenate([domains.source_ND, domains.target_MD]).astype(np.float64)
    values = np.linalg.eigvalsh(np.cov(x.T))[::-1]
    assert np.allclose(np.cov(places.T), np.diag(values[:2]), atol=1e-8)
    assert found.before.explained == pytest.approx(values[:2].sum() / values.sum())


def test_the_same_items_before_and_after_and_not_too_many() -> None:
    domains = pair(MOST_POINTS + 100, 50)
    found = picture(domains, domains)
    assert found is not None and found.after is not None
    assert found.before.source_N2.shape == (MOST_POINTS, 2) and found.before.target_M2.shape == (50, 2)
    assert np.array_equal(found.before.source_N2, found.after.source_N2)


def test_mixing_is_seen() -> None:
    apart, together = pair(200, 200, apart=20.0), pair(200, 200)
    found = picture(apart, together)
    assert found is not None and found.after is not None
    assert found.before.own == 1.0 and 0.4 < found.after.own < 0.6


@given(st.integers(2, 12), st.integers(2, 12), st.integers(0, 99))
def test_nearest_neighbours_as_the_naive_loop_finds_them(n_source: int, n_target: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n_source, 3)), rng.normal(size=(n_target, 3))
    n_each = min(n_source, n_target)
    points = [(0, p) for p in x[:n_each]] + [(1, p) for p in y[:n_each]]
    same = 0
    for i, (own, p) in enumerate(points):
        others = [(float(np.sum((p - q) ** 2)), domain) for j, (domain, q) in enumerate(points) if j != i]
        same += min(others)[1] == own
    assert own_neighbours(x, y) == pytest.approx(same / len(points))


def test_too_few_items_or_broken_features_are_not_drawn() -> None:
    assert picture(pair(40, 2), None) is None
    broken = pair()
    broken.target_MD[:] = np.nan
    assert picture(broken, None) is None and picture(pair(), broken) is None


def test_one_feature_and_constant_features() -> None:
    one = Domains(np.ones((9, 1), np.float32), np.zeros(9, np.int64), np.ones((9, 1), np.float32), 2)
    found = picture(one, None)
    assert found is not None and np.array_equal(found.before.source_N2, np.zeros((9, 2)))
    assert found.before.explained == 1.0


def test_umap_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    class UMAP:
        def __init__(self, **options: Any) -> None:
            asked.append(options)

        def fit_transform(self, x: np.ndarray) -> np.ndarray:
            return x[:, :2].astype(np.float32)

    module = ModuleType("umap")
    module.__dict__.update(UMAP=UMAP)
    monkeypatch.setitem(sys.modules, "umap", module)
    monkeypatch.setattr(sys.modules[picture.__module__], "_umap_is_installed", lambda: True)
    found = picture(pair(), pair())
    assert found is not None and found.projection == "UMAP" and found.before.explained is None
    assert len(asked) == 2 and asked[0]["random_state"] == 0
    few = picture(pair(10, 10), None)
    assert few is not None and few.projection == "PCA"  # it needs more neighbours than that
