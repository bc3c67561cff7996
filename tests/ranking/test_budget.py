"""Sources within a budget: the best of a sample are kept, in as much time as is left."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import small_data
from headstart.data import DataSet
from headstart.features import Setting, Store
from headstart.ranking.budget import _best, affordable
from headstart.ranking.entries import Entry
from headstart.ranking.measuring import Items
from headstart.ranking.opening import Candidate
from headstart.ranking.work import Work
from headstart.sources import load_source
from small_data import LETTERS
from small_sources import changed, shuffled


@pytest.fixture
def items(tmp_path: Path) -> Items:
    data = DataSet.read(small_data.digit_folder(tmp_path / "digits", n_classes=3, n_each=70))
    return Items(
        data, data.positions("train"), 0, Setting.choose("cpu", "fp32", 1), Store(tmp_path / "store")
    )


@pytest.mark.parametrize(("left", "kept"), [(6.0, ["bundled:letters"]), (20.0, ["bundled:letters", "noise"])])
def test_the_best_on_the_sample_are_kept(items: Items, tmp_path: Path, left: float, kept: list[str]) -> None:
    noise = load_source(changed(tmp_path / "noise", shuffled))
    candidates = [Candidate(Entry("noise"), noise), Candidate(Entry(LETTERS), load_source(LETTERS))]
    failed: dict[str, str] = {}
    trial = Work(items, failed)
    trial.extract(candidates)
    found = _best(trial, {id(each): 5.0 for each in candidates}, failed, left)
    if "noise" in failed and left > 10:  # clearly worse: it is hopeless, whatever time is left
        kept = [LETTERS]
    assert [each.entry.uri for each in found] == kept
    for uri, why in failed.items():
        assert uri == "noise" and why.startswith("dropped for the budget: ") and "the best" in why


def test_all_are_kept_where_they_fit(items: Items) -> None:
    candidates = [Candidate(Entry(LETTERS), load_source(LETTERS))]
    assert affordable(candidates, items, {}, time.perf_counter() + 600) == candidates
