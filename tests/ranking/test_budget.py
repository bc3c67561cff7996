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
from small_sources import blank, changed


@pytest.fixture
def items(tmp_path: Path) -> Items:
    data = DataSet.read(small_data.digit_folder(tmp_path / "digits", n_classes=3, n_each=70))
    return Items(
        data, data.positions("train"), 0, Setting.choose("cpu", "fp32", 1), Store(tmp_path / "store")
    )


@pytest.mark.parametrize("left", [6.0, 20.0])
def test_a_hopeless_source_is_dropped(items: Items, tmp_path: Path, left: float) -> None:
    """Where time is left for one only, and where it is clearly worse."""
    empty = load_source(changed(tmp_path / "blank", blank))
    candidates = [
        Candidate(Entry("blank", name="blank"), empty),
        Candidate(Entry(LETTERS, name=LETTERS), load_source(LETTERS)),
    ]
    failed: dict[str, str] = {}
    trial = Work(items, failed)
    trial.extract(candidates)
    found = _best(trial, {id(each): 5.0 for each in candidates}, failed, left)
    assert [each.entry.uri for each in found] == [LETTERS]
    (why,) = failed.values()
    assert why.startswith("dropped for the budget, ") and "the best" in why


def test_all_are_kept_where_they_fit(items: Items) -> None:
    candidates = [Candidate(Entry(LETTERS, name=LETTERS), load_source(LETTERS))]
    assert affordable(candidates, items, {}, time.perf_counter() + 600) == candidates
