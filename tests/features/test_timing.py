"""Times of a network per item, from batches that are computed anyway and on their own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from tiny_source import make_pictures, make_tiny_source

from headstart.features import Setting, Store, extract_pooled_of_many, seconds_per_item
from headstart.features.timing import LEAST_BATCHES, BatchTimes

CPU = torch.device("cpu")


def work(seconds: float) -> None:
    """Keep this thread's core busy."""
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass


def add(times: BatchTimes, n_items: int, width: int, seconds: float, worker: int = 0) -> None:
    with times.batch({"x": torch.zeros(n_items, width)}, worker):
        work(seconds)


def test_the_fastest_batch_of_each_shape_counts_and_the_first_of_a_worker_does_not() -> None:
    times = BatchTimes(CPU)
    add(times, 1, 3, 0.0)
    add(times, 2, 3, 0.04)
    add(times, 2, 3, 0.02)
    assert times.per_item(1) is None
    add(times, 4, 9, 0.12)
    expected = (4 * 0.01 + 4 * 0.03) / 8
    assert times.per_item(1) == pytest.approx(expected, rel=0.1)
    assert times.per_item(2) == pytest.approx(expected / 2, rel=0.1)
    add(times, 2, 3, 0.0, worker=1)
    assert times.per_item(1) == pytest.approx(expected, rel=0.1)


def test_waiting_and_failures_do_not_count() -> None:
    times = BatchTimes(CPU)
    for number in range(LEAST_BATCHES + 1):
        with times.batch({"x": torch.zeros(1, 1)}, 0):
            time.sleep(0.02)
        with pytest.raises(ValueError, match="broken"), times.batch({"x": torch.zeros(1, 1)}, 0):
            raise ValueError("broken")
        assert (times.per_item(1) is None) == (number < LEAST_BATCHES)
    found = times.per_item(1)
    assert found is not None and found < 0.01


def test_workers_add_at_once() -> None:
    times = BatchTimes(CPU)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda worker: [add(times, 2, 3, 0.001, worker) for _ in range(9)], range(4)))
    assert times.per_item(1) == pytest.approx(0.0005, rel=0.5)


def test_an_extraction_tells_the_time_of_what_it_computed(tmp_path: Any) -> None:
    items, digests = make_pictures(40)
    options: dict[str, Any] = {"precision": "fp32", "device": "cpu", "threads": 2, "batch_size": 4}
    source, store = make_tiny_source(0), Store(tmp_path)

    def extract() -> float | None:
        (found,) = extract_pooled_of_many([source], items, digests, store, **options)
        return found.seconds_per_item

    computed = extract()
    assert computed is not None and computed > 0
    assert extract() is None  # all of it was stored


@pytest.mark.parametrize("n_items", [1, 5, 40])
def test_a_network_on_its_own(n_items: int) -> None:
    items, _ = make_pictures(n_items)
    assert 0 < seconds_per_item(make_tiny_source(0), items, Setting(CPU, "fp32", 2)) < 1
