"""Classical features that are extracted in threads are those of `extract_classical`, and can be given up."""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest
import torch

import small_data
from headstart.clock import Clock
from headstart.evidence import classical_features, extract_classical
from headstart.features import Setting, Store
from headstart.fitting.reading import data_of, read_labelled
from headstart.ranking import classical_ahead
from headstart.ranking.classical_ahead import ClassicalAhead
from headstart.ranking.items import Items
from headstart.ranking.options import rank_options


@pytest.fixture
def items(tmp_path: Path) -> Items:
    place = small_data.digit_folder(tmp_path / "digits", n_classes=2, n_each=20)
    options, clock = rank_options(data=place, sources=["one", "two"]), Clock()
    data = data_of(read_labelled(options, clock), options, clock)
    return Items(
        data, data.positions("train"), 0, Setting(torch.device("cpu"), "fp32", 2), Store(tmp_path / "s")
    )


@pytest.mark.parametrize("most", [20_000, 5])
def test_the_features_of_the_chosen_items(items: Items, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(classical_ahead, "MOST", most)
    chosen = np.arange(len(items.positions))[:: 1 if most > 5 else 3]
    with ClassicalAhead(items) as ahead:
        found = ahead.features(chosen)
    expected = extract_classical([items.inputs[int(each)] for each in chosen], "image")
    assert set(found.forms) == set(expected.forms)
    for name, form in expected.forms.items():
        np.testing.assert_array_equal(found.forms[name], form)


def test_the_end_of_the_block_does_not_wait_for_all_items(
    items: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after Ctrl-C: what was not begun is left out, also for a thread that waits for it."""
    begun, go = list[object](), threading.Event()

    def describe(item: object) -> dict[str, np.ndarray]:
        begun.append(item)
        go.wait(30)
        return {"none": np.zeros(1)}

    monkeypatch.setattr(classical_features, "describe_image", describe)
    with pytest.raises(KeyboardInterrupt), ClassicalAhead(items) as ahead:
        while len(begun) < 2:
            time.sleep(0.001)
        ahead.stop()
        go.set()
        with pytest.raises(CancelledError):
            ahead.features(np.arange(len(items.positions)))
        raise KeyboardInterrupt
    assert len(begun) == 2 and len(items.positions) > 2
