"""Processes of a run that share out an extraction, forked by one that has imported everything; see test_together.py.

python together.py    reads lines [case, folder, n, port], runs the case in n processes, and prints their exit codes
                      and what they printed as a line [[code, text], ...]

A process prints how many items it decoded, and writes what it read from the store to FOLDER/read.NUMBER.npz.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed
from tiny_source import TinyNet, make_pictures, make_tiny_source

import headstart.features.pooled_pass as pooled_pass
from headstart import processes
from headstart.data.items import ItemView
from headstart.errors import DataError, HeadstartError
from headstart.features import Store, extract_pooled_and_states, extract_pooled_of_many, extract_states
from headstart.sources.source import Source

N_ITEMS, CUT = 90, 2  # 23 batches of 4: an odd number, the last of two items
OPTIONS: dict[str, Any] = {"precision": "fp32", "device": "cpu", "threads": 1, "batch_size": 4}
PICTURES, DIGESTS = make_pictures(N_ITEMS)


class Failing(TinyNet):
    """Fails on the last batch, which one process alone computes."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        if torch.is_inference_mode_enabled() and len(pixels) == N_ITEMS % 4:
            raise LookupError("the layer has lost its way")
        return super().forward(pixels)


def failing_source() -> Source:
    source = make_tiny_source(7)
    source.network.__class__ = Failing
    return replace(source, digest="failing")


def items(case: str, decoded: list[int]) -> ItemView:
    """Pictures; fetching some of them ends the process, or is an error in the process that does."""

    def fetch(number: int) -> np.ndarray:
        decoded.append(number)
        if case == "unreadable" and number == N_ITEMS - 1:
            raise DataError("picture 89 cannot be read")
        if case == "killed" and number == 61:
            time.sleep(0.5)
            os.kill(os.getpid(), signal.SIGKILL)
        return PICTURES[number]

    return ItemView([np.arange(N_ITEMS)], wrap=fetch)


def extract(case: str, store: Store, decoded: list[int]) -> dict[str, np.ndarray]:
    """Vectors of all stages of two sources, and states of the first one."""
    sources = [make_tiny_source(0), make_tiny_source(1)]
    pictures = items(case, decoded)
    if case == "both":
        extract_pooled_and_states(sources[0], pictures, DIGESTS, CUT, store, **OPTIONS, together=True)
    if case == "failing":
        sources.append(failing_source())
    found = {}
    for each in extract_pooled_of_many(sources, pictures, DIGESTS, store, **OPTIONS, together=True):
        if each.failure is not None:
            found[f"failure {each.number}"] = np.array(str(each.failure))
        else:
            found[f"vectors {each.number}"] = each.result().stacked(range(3))
    states = extract_states(sources[0], pictures, DIGESTS, CUT, store, **OPTIONS, together=True)
    found |= {
        f"state {name}": value.numpy() for name, value in states.batch(np.arange(N_ITEMS)).tensors.items()
    }
    return found


def main(case: str, folder: Path) -> int:
    decoded: list[int] = []
    name = f"store {processes.number()}" if case == "apart" else "store"
    try:
        with processes.together("cpu"):
            found = extract(case, Store(folder / name), decoded)
    except HeadstartError as error:
        print(error)
        return error.exit_code
    np.savez(folder / f"read.{processes.number()}.npz", **found)
    print(len(decoded))
    return 0


def start(case: str, folder: Path, n: int, port: int, number: int) -> int:
    """Fork a process with the environment that a launcher sets; returns its id."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        log = os.open(folder / f"log.{number}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ |= {"WORLD_SIZE": str(n), "LOCAL_WORLD_SIZE": str(n)}
        os.environ |= {"RANK": str(number), "LOCAL_RANK": str(number)}
        code = main(case, folder)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    for line in sys.stdin:
        case, place, n, port = json.loads(line)
        folder = Path(place)
        started = [start(case, folder, n, port, number) for number in range(n)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in started]
        print(
            json.dumps([[code, (folder / f"log.{i}").read_text()] for i, code in enumerate(codes)]),
            flush=True,
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    pooled_pass._ITEMS_PER_SHARD = 8
    serve()
