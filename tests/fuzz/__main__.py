"""`python -m fuzz [READER ...] [--seconds N] [--seed N]`: damage input for every reader in turn, and list the faults.

`--quick` makes the first trials of every reader, always the same ones.
`python -m fuzz READER/NUMBER` makes one trial again, with its traceback; the damaged input stays in the folder that
is printed. Ends with 1 if there was a fault.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import itertools
import os
import pkgutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

import headstart
from fuzz.damage import copy_of
from fuzz.readers import READERS, Reader
from fuzz.trials import Tally, damage_copy, run_trials

_TURN = 5.0  # seconds that a reader has before the next


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("readers", nargs="*", help="names of readers, or READER/NUMBER for one trial")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if any("/" in name for name in given.readers):
        for name in given.readers:
            again(*name.split("/"))
        return
    import_all()
    chosen = [reader for reader in READERS if not given.readers or reader.name in given.readers]
    with tempfile.TemporaryDirectory(prefix="headstart-fuzz-") as folder:
        tallies = (
            quick(chosen, Path(folder))
            if given.quick
            else fuzz(chosen, Path(folder), given.seconds, given.seed)
        )
    print(table(tallies))
    sys.exit(any(tally.faults for tally in tallies.values()))


def fuzz(readers: list[Reader], root: Path, seconds: float, seed: int) -> dict[str, Tally]:
    """Give each reader a turn after the other until the time is over.

    Args:
        readers: to try.
        root: an empty folder.
        seconds: for all of them.
        seed: where the numbers of the trials start: every seed has its own million.
    """
    valid = {reader.name: make(reader, root) for reader in readers}
    numbers = {reader.name: itertools.count(seed * 1_000_000) for reader in readers}
    tallies = {reader.name: Tally() for reader in readers}
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for reader in readers:
            turn = min(_TURN, max(ends - time.monotonic(), 0.1))
            found = run_trials(reader, valid[reader.name], root / "scratch", numbers[reader.name], turn)
            for kind in found.faults.keys() - tallies[reader.name].faults.keys():
                print(f"{kind}: {found.faults[kind][0]}", flush=True)
            tallies[reader.name].merge(found)
    return tallies


def quick(readers: list[Reader], root: Path) -> dict[str, Tally]:
    """The first trials of every reader."""
    found = {}
    for reader in readers:
        valid = make(reader, root)
        found[reader.name] = run_trials(reader, valid, root / "scratch", iter(range(reader.n_quick)))
    return found


def import_all() -> None:
    """Import all that a trial may import, so that no child spends its time on it."""
    for library in ("datasets", "pyarrow.parquet", "timm", "torch", "transformers", "yaml"):
        importlib.import_module(library)
    for module in pkgutil.walk_packages(headstart.__path__, "headstart."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.freeze()  # else the first collection of every child copies the memory of all these modules


def make(reader: Reader, root: Path) -> Path:
    """Write the valid input of a reader, in a child process: what it starts must not be in a process that forks."""
    folder = root / "valid" / reader.name
    folder.mkdir(parents=True)
    inside, outside = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.environ.update(HEADSTART_CACHE=str(root / "cache"), HEADSTART_RECORD="off")
            place = reader.make(folder)
            reader.read(copy_of(place, root / "scratch" / "first"))
            os.write(outside, str(place).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(outside)
    with os.fdopen(inside) as answer:
        place = answer.read()
    os.waitpid(pid, 0)
    if not place:
        raise SystemExit(f"the valid input of {reader.name} cannot be made or read")
    return Path(place)


def again(name: str, number: str) -> None:
    """Make one trial again in this process, with the traceback of what it raises."""
    reader = next(reader for reader in READERS if reader.name == name)
    root = Path(tempfile.mkdtemp(prefix="headstart-fuzz-"))
    os.environ["HEADSTART_CACHE"] = str(root / "cache")
    place = damage_copy(reader, make(reader, root), root / "again", int(number))
    print(f"{name}/{number}: {place}", flush=True)
    reader.read(place)


def table(tallies: dict[str, Tally]) -> str:
    """The counts in Markdown, and below them every fault with the first trial that shows it."""
    lines = ["| reader | trials | read | refused | faults |", "|---|---|---|---|---|"]
    for name, tally in tallies.items():
        counts = tally.counts
        lines.append(
            f"| {name} | {counts.total():,} | {counts['result']:,} | {counts['refused']:,} | {counts['fault']:,} |"
        )
    total = sum(tally.counts.total() for tally in tallies.values())
    lines += ["", f"{total:,} trials, {sum(len(tally.faults) for tally in tallies.values())} kinds of faults"]
    for tally in tallies.values():
        lines += [f"- {kind}, {len(trials)} times: {trials[0]}" for kind, trials in tally.faults.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
