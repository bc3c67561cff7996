"""What the tests of the cluster call on its machines, which import this module."""

from __future__ import annotations

import os
import time
from pathlib import Path

from headstart.cluster import _look
from headstart.errors import DataError


def lines(number: int, data: Path) -> tuple[int, str, str]:
    """The number, the content of the data and where it lay."""
    if number == 2:
        raise DataError("source 2 is damaged")
    if number == 3:
        raise LookupError("no kernel for this layer")
    return number, (data / "a" / "x.txt").read_text(), str(data)


def slow(argument: tuple[int, str, str], data: Path) -> int:
    """The number, after a while, on one node after very long; files in the folder say what was begun on which node."""
    import ray

    number, folder, slowest = argument
    node = ray.get_runtime_context().get_node_id()
    (Path(folder) / f"{number}.{node}").touch()
    time.sleep(120.0 if node == slowest else 1.0)
    return number


def look_as_if_on_another_disk(path: str) -> tuple[str, str]:
    """What is seen at a path; the process that starts the calls sees something else there than the nodes."""
    seen = _look(path)
    return (seen[0], "another disk") if os.environ.get("STARTED_BY") == str(os.getpid()) else seen
