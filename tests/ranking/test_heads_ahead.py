"""Heads that are chosen in threads: each once, and none that was not begun when the block ends."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch

from headstart.features import Setting
from headstart.ranking import heads_ahead
from headstart.ranking.entries import Entry
from headstart.ranking.heads_ahead import HeadsAhead
from headstart.ranking.items import Items
from headstart.ranking.opening import Candidate
from headstart.sources import load_source
from small_data import LETTERS


def make_items() -> Any:
    """Only the number of items and of threads are looked at before a head is chosen."""
    return Items(None, np.arange(9), 0, Setting(torch.device("cpu"), "fp32", 2), None)  # type: ignore[arg-type]


def test_each_head_is_chosen_once_with_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    source, go, begun = load_source(LETTERS), threading.Event(), list[str]()
    candidates = [Candidate(Entry(f"source {number}"), source) for number in range(5)]

    def measure(source: object, features: str, items: object, *, scored: bool) -> str:
        begun.append(features)
        go.wait(30)
        assert torch.get_num_threads() == 1
        return f"head of {features}, scored: {scored}"

    monkeypatch.setattr(heads_ahead, "measure", measure)
    before = torch.get_num_threads()
    with HeadsAhead(make_items(), scored=False) as heads:
        futures: list[Any] = [heads.begin(each, each.entry.uri) for each in candidates]  # type: ignore[arg-type]
        assert [heads.begin(each, "again") for each in candidates] == futures  # type: ignore[arg-type]
        while len(begun) < 2:
            threading.Event().wait(0.001)
        assert sum(future.cancel() for future in futures[2:4]) == 2
        go.set()
        assert futures[0].result() == "head of source 0, scored: False"
        assert futures[4].result() == "head of source 4, scored: False"
    assert sorted(begun) == ["source 0", "source 1", "source 4"]
    assert torch.get_num_threads() == before


def test_the_end_of_the_block_cancels_what_was_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    source, go, begun = load_source(LETTERS), threading.Event(), list[str]()

    def measure(source: object, features: str, items: object, *, scored: bool) -> None:
        begun.append(features)
        go.wait(30)

    monkeypatch.setattr(heads_ahead, "measure", measure)
    with pytest.raises(KeyboardInterrupt), HeadsAhead(make_items()) as heads:
        for number in range(9):
            heads.begin(Candidate(Entry(f"source {number}"), source), f"source {number}")  # type: ignore[arg-type]
        while len(begun) < 2:
            threading.Event().wait(0.001)
        threading.Timer(0.2, go.set).start()
        raise KeyboardInterrupt
    assert len(begun) < 9
