"""MMD against the golden value and a naive version; the permutation test with and without groups."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.adapt.shift import mmd
from headstart.adapt.shift.mmd import discrepancy, squared_mmd


def naive(x: np.ndarray, y: np.ndarray, gamma: float) -> float:
    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-gamma * np.square(a - b).sum()))

    n, m = len(x), len(y)
    within = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    other = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within + other - 2 * sum(k(a, b) for a in x for b in y) / (n * m)


@pytest.mark.real
def test_golden(shared: Path) -> None:
    inputs = np.load(shared / "golden" / "domain_adaptation_inputs.npz")
    golden = json.loads((shared / "golden" / "domain_adaptation.json").read_text())
    found = squared_mmd(inputs["feat_s"], inputs["feat_t"], 0.1)
    assert found == pytest.approx(golden["exact_MMD2_rbf_gamma0.1_unbiased"]["value"], rel=1e-9)


@given(st.integers(0, 1000), st.integers(2, 8), st.integers(2, 8), st.floats(0.01, 3))
def test_naive(seed: int, n: int, m: int, gamma: float) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(m, 3)) + 5
    assert squared_mmd(x, y, gamma) == pytest.approx(naive(x, y, gamma), abs=1e-12)


def test_a_shift_is_found_and_none_is_not() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 10)), rng.normal(size=(90, 10))
    assert (discrepancy(x, y).p_value or 0) > 0.05
    moved = discrepancy(x, y + 0.6)
    assert moved.p_value == pytest.approx(1 / (mmd.N_PERMUTATIONS + 1)) and (moved.value or 0) > 0.01


def test_p_values_without_a_shift_are_uniform() -> None:
    p_values = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = discrepancy(rng.normal(size=(25, 4)), rng.normal(size=(15, 4)), seed=seed)
        p_values.append(found.p_value)
    assert 0.35 < np.mean(p_values) < 0.65 and np.mean(np.array(p_values) < 0.1) < 0.25


def test_groups_count_and_not_items() -> None:
    """Speakers that differ from each other are no shift, however many recordings each has."""
    alone, grouped = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        speaker = np.repeat(np.arange(10), 12)
        x = 2 * rng.normal(size=(10, 5))[speaker] + rng.normal(size=(120, 5))
        names = np.array([f"s{number}" for number in speaker], dtype=object)
        alone.append(discrepancy(x[:60], x[60:]).p_value)
        grouped.append(discrepancy(x[:60], x[60:], groups_N=names[:60], groups_M=names[60:]).p_value)
    assert max(alone) < 0.05 and np.mean(grouped) > 0.25


def test_groups_that_lie_in_both_domains_exchange_their_parts() -> None:
    rng = np.random.default_rng(0)
    names = np.array([f"g{number}" for number in np.repeat(np.arange(12), 5)], dtype=object)
    offset = 3 * rng.normal(size=(12, 4))[np.repeat(np.arange(12), 5)]
    x, y = offset + rng.normal(size=(60, 4)), offset + rng.normal(size=(60, 4))
    assert (discrepancy(x, y, groups_N=names, groups_M=names).p_value or 0) > 0.05
    assert (discrepancy(x, y + 1, groups_N=names, groups_M=names).p_value or 1) < 0.02


def test_too_few_items_or_groups() -> None:
    x = np.random.default_rng(0).normal(size=(10, 2))
    assert discrepancy(x, x[:3]).value is None
    one = np.array(["a"] * 10, dtype=object)
    other = np.array(["b"] * 10, dtype=object)
    found = discrepancy(x, x + 1, groups_N=one, groups_M=other)
    assert found.value is not None and found.p_value is None
    assert found.to_json()["n_source"] == 10
