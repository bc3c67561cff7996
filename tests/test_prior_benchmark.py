"""The benchmark of the prior: the published tables, the baseline on them, and the gains with their intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.prior import own
from benchmarks.prior.measure import mean_of_others, measure, quality
from benchmarks.prior.report import gain, text
from benchmarks.prior.tables import CLASSES, N_IN_POOL, N_POOLS, Table, published


@pytest.mark.real
def test_the_mean_over_the_other_data_sets(shared: Path) -> None:
    """As `reference/algorithms.md` states it: the number to beat."""
    tables = {table.name: table for table in published(shared / "golden")}
    for name, stated in (
        ("SFDA, supervised CNNs", 0.826),
        ("SFDA, self-supervised ResNet-50", 0.692),
        ("EMMS, vision transformers", 0.769),
    ):
        scores = tables[name].scores
        taus = [
            quality(row, mean_of_others(np.delete(scores, t, axis=0)), "mean")["tau mean"]
            for t, row in enumerate(scores)
        ]
        assert np.mean(taus) == pytest.approx(stated, abs=5e-4)
    assert {data for table in tables.values() for data in table.data} == set(CLASSES)
    large = tables["TransferGraph, full sets"].pools()
    assert len(large) == N_POOLS and all(pool.scores.shape[1] == N_IN_POOL for pool in large)


def test_every_way_is_measured_on_every_data_set_that_is_left_out() -> None:
    rng = np.random.default_rng(0)
    scores = 0.7 + 0.05 * rng.normal(size=8) + 0.01 * rng.normal(size=(4, 8))
    scores[1, 2] = np.nan
    rows = measure(
        Table("made up", ("dtd", "pets", "cifar10", "food"), scores, scores.mean(axis=0)), n_seeds=2
    )
    assert [row["data"] for row in rows] == ["dtd", "pets", "cifar10", "food"]
    assert all(row["tau prior"] > 0.8 for row in rows)
    assert all(
        np.isfinite([value for value in row.values() if isinstance(value, float)]).all() for row in rows
    )
    assert "| made up | 4 |" in text(rows, {"made up": [0.5, 0.7]})
    assert np.mean([row["tau evidence 200 per class"] for row in rows]) > np.mean(
        [row["tau evidence 10 in all"] for row in rows]
    )


def test_an_estimate_that_says_nothing() -> None:
    truth = np.array([0.5, 0.7, 0.9])
    assert quality(truth, np.zeros(3), "x") == {"tau x": 0.0, "regret x": pytest.approx(20.0)}
    assert quality(truth, truth, "x") == {"tau x": pytest.approx(1.0), "regret x": 0.0}
    assert quality(truth, np.array([0.0, 1.0, 1.0]), "x")["regret x"] == pytest.approx(10.0)


def test_a_data_set_of_several_tables_counts_once() -> None:
    rows = [{"data": "a", "x": 1.0, "y": 0.0}] * 9 + [{"data": "b", "x": 3.0, "y": 0.0}]
    assert gain(rows, "x", "y")[0] == 2.0


def test_real_sets_are_left_out_by_family() -> None:
    names = {"sst2": "sst2", "trec": "trec", "amcd en": "amcd", "amcd de": "amcd"}
    truth = np.random.default_rng(0).uniform(0.6, 0.9, size=6)
    rows = [
        {
            "set": name, "family": family, "modality": "text", "source": "a", "random": False, "depth": depth,
            "truth": truth[depth] if family != "amcd" else 1.5 - truth[depth],
            "scores": {"10": {"probe": [truth[depth], 0.7]}} if name != "trec" else {},
        }
        for name, family in names.items()
        for depth in range(6)
    ]  # fmt: skip
    found = {row["set"]: row for row in own.measure(rows, "10")}
    assert set(found) == {"sst2", "amcd en", "amcd de"} and found["amcd de"]["data"] == "amcd"
    assert found["amcd en"]["tau mean"] < 0, "the other set of its family would say the opposite"
