"""A process of the store's tests: extracts pictures, and is killed, doubled or measured.

python worker.py kill FOLDER N      N killed extractions, each resumed; "same" or what differs
python worker.py together FOLDER    two processes extract into one store at once
python worker.py memory FOLDER N    prints how many bytes the peak grew while N pictures were extracted
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tiny_source import SIZE, make_pictures, make_tiny_source

import headstart.features.pooled_pass as pooled_pass
from headstart.data.items import ItemView
from headstart.features import Store, extract_pooled

N_ITEMS = 120


def extract(root: Path, n_items: int = N_ITEMS, first: int = 0) -> np.ndarray:
    items, digests = make_pictures(n_items + first)
    features = extract_pooled(
        make_tiny_source(),
        items[first:],
        digests[first:],
        Store(root),
        precision="fp32",
        threads=1,
        batch_size=1,
    )
    return features.stage(2)


def contents(root: Path) -> dict[str, bytes]:
    """The files of a store, but for locks."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def started(work: Callable[[], object]) -> int:
    """Run something in a process of its own; returns its number."""
    process = os.fork()
    if process:
        return process
    try:
        work()
        os._exit(0)
    except BaseException as error:
        print(repr(error), flush=True)
        os._exit(1)


def kill(folder: Path, n_kills: int) -> None:
    assert os.waitpid(started(lambda: extract(folder / "alone")), 0)[1] == 0
    expected = contents(folder / "alone")
    generator = random.Random(0)
    n_unfinished = 0
    for number in range(n_kills):
        root = folder / f"killed{number}"
        process = started(lambda root=root: extract(root))
        # moments are drawn by what has been written, since seconds differ from machine to machine
        n_files = generator.randrange(len(expected) - 1)
        while n_files and len(list(root.rglob("*.*"))) < n_files:
            time.sleep(0.0005)
        time.sleep(generator.uniform(0, 0.01))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        n_unfinished += not root.exists() or not expected.keys() <= contents(root).keys()
        assert os.waitpid(started(lambda root=root: extract(root)), 0)[1] == 0
        if contents(root) != expected:
            print("differs after kill", number, sorted(set(contents(root)) ^ set(expected)))
            return
    print(f"same {n_unfinished}")


def together(folder: Path) -> None:
    processes = [started(lambda first=first: extract(folder, first=first)) for first in (0, 0, 40)]
    assert [os.waitpid(process, 0)[1] for process in processes] == [0, 0, 0]
    shared = extract(folder)
    alone = extract(folder.with_name("alone"))
    assert np.allclose(shared, alone, atol=1e-6)
    assert not list(folder.rglob(".tmp*"))
    print("same")


def memory(folder: Path, n_items: int) -> None:
    def run(n_items: int, root: Path) -> None:
        # drawn when they are asked for, so that they take no memory themselves
        pictures = ItemView(
            [np.arange(n_items)], wrap=lambda number: np.full((SIZE, SIZE, 3), number % 256, np.uint8)
        )
        digests = np.array([f"{number:x}" for number in range(n_items)])
        features = extract_pooled(
            make_tiny_source(n_features=1024), pictures, digests, Store(root), threads=1, batch_size=64
        )
        for _ in features.batches([0, 1, 2], 1000):
            pass

    run(1000, folder / "small")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(n_items, folder / "large")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print((after - before) * 1024)


if __name__ == "__main__":
    torch.set_num_threads(1)
    pooled_pass._ITEMS_PER_SHARD = 8 if sys.argv[1] != "memory" else pooled_pass._ITEMS_PER_SHARD
    task, root = sys.argv[1], Path(sys.argv[2])
    if task == "together":
        together(root)
    else:
        {"kill": kill, "memory": memory}[task](root, int(sys.argv[3]))
