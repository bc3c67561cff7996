"""Damaged input, one trial after the other in a child process: what it does is a fault, a refusal or a result.

A trial is named `READER/NUMBER`; the number decides the damage, so a fault can be made again.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from fuzz.damage import copy_of, damage
from fuzz.readers import Reader
from headstart.errors import HeadstartError

MOST_SECONDS, MOST_BYTES = 20.0, 2**30


@dataclass
class Tally:
    """Outcomes of the trials of a reader.

    Attributes:
        counts: of "result", "refused" and "fault".
        faults: one per kind (the part before the first colon): to its trials, each with what it was.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def add(self, trial: str, outcome: str, what: str) -> None:
        """Count a trial."""
        self.counts[outcome] += 1
        if outcome == "fault":
            kind, _, words = what.partition(": ")
            self.faults.setdefault(kind, []).append(f"{trial} {words}".strip())

    def merge(self, other: Tally) -> None:
        """Add the trials of another tally."""
        self.counts += other.counts
        for what, trials in other.faults.items():
            self.faults.setdefault(what, []).extend(trials)


def run_trials(
    reader: Reader, valid: Path, scratch: Path, numbers: Iterator[int], seconds: float = float("inf")
) -> Tally:
    """Run trials in child processes until the numbers or the time are used up.

    Args:
        reader: what reads.
        valid: its valid input; is not changed.
        scratch: a folder for copies.
        numbers: of the trials.
        seconds: to spend.
    """
    tally, ends = Tally(), time.monotonic() + seconds
    waiting = next(numbers, None)
    while waiting is not None and time.monotonic() < ends:
        child = _Child(reader, valid, scratch)
        while waiting is not None and time.monotonic() < ends:
            found = child.try_number(waiting)
            tally.add(f"{reader.name}/{waiting}", *found)
            waiting = next(numbers, None)
            if child.is_over:
                break
        child.close()
    return tally


def one_trial(reader: Reader, valid: Path, scratch: Path, number: int) -> tuple[str, str]:
    """Run one trial in this process.

    Returns:
        "result", "refused" or "fault", and for a fault what it was.
    """
    place = damage_copy(reader, valid, scratch / "copy", number)
    os.environ["HEADSTART_CACHE"] = str(scratch / "cache")
    before = _peak_bytes()
    try:
        reader.read(place)
        outcome, what = "result", ""
    except HeadstartError as error:
        outcome, what = "refused", str(error)
    except BaseException as error:
        outcome, what = "fault", _where(error)
    if _peak_bytes() - before > MOST_BYTES:
        outcome, what = "fault", f"took more than {MOST_BYTES >> 20} MB"
    return outcome, what


def damage_copy(reader: Reader, valid: Path, folder: Path, number: int) -> Path:
    """A copy of the valid input with the damage of a trial: one file of it, now and then two."""
    chance = Random(f"{reader.name}/{number}")
    place = copy_of(valid, folder)
    files = sorted(
        path for path in _files(place) if reader.may_damage(path.relative_to(place.parent).as_posix())
    )
    for _ in range(chance.choice((1, 1, 1, 2))):
        path = chance.choice(files)
        if path.is_file() and not path.is_symlink():
            damage(path, chance)
    return place


class _Child:
    """A forked process that runs the trials it is sent, one line of JSON each way."""

    def __init__(self, reader: Reader, valid: Path, scratch: Path) -> None:
        to_child, self._ask = os.pipe()
        self._answer, from_child = os.pipe()
        self.is_over = False
        self._n_left = 200  # a fresh process now and then, so that one trial's leftovers do not add up
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._ask)
            os.close(self._answer)
            _serve(reader, valid, scratch, to_child, from_child)
        os.close(to_child)
        os.close(from_child)

    def try_number(self, number: int) -> tuple[str, str]:
        """Run a trial; a crash or a hang of the child is a fault of the trial."""
        os.write(self._ask, f"{number}\n".encode())
        self._n_left -= 1
        self.is_over = self._n_left == 0
        ready, _, _ = select.select([self._answer], [], [], MOST_SECONDS)
        answer = os.read(self._answer, 65_536) if ready else b""
        if answer:
            outcome, what, is_large = json.loads(answer)
            self.is_over |= is_large
            return outcome, what
        self.is_over = True
        if not ready:
            os.kill(self._pid, signal.SIGKILL)
            return "fault", f"took more than {MOST_SECONDS:.0f} seconds"
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return "fault", f"the process ended with {os.waitstatus_to_exitcode(status)}"

    def close(self) -> None:
        """End the child."""
        os.close(self._ask)
        if self._pid:
            os.waitpid(self._pid, 0)
        os.close(self._answer)


def _serve(reader: Reader, valid: Path, scratch: Path, asked: int, answers: int) -> None:
    devnull = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(devnull, stream)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = _data_bytes() + 6 * MOST_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    first = _peak_bytes()
    try:
        with os.fdopen(asked) as numbers:
            for line in iter(numbers.readline, ""):
                outcome, what = one_trial(reader, valid, scratch, int(line))
                is_large = (
                    _peak_bytes() - first > MOST_BYTES // 2
                )  # a peak never falls, and would hide the next one
                os.write(answers, json.dumps([outcome, what[:2000], is_large]).encode())
    finally:
        os._exit(0)


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]


def _where(error: BaseException) -> str:
    """The kind of an exception and the last line of headstart that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "headstart" in frame.filename] or frames
    place = f"{Path(own[-1].filename).name}, line {own[-1].lineno}"
    return f"{type(error).__name__} in {place}: {' '.join(str(error).split())[:150]}"


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _data_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData")) * 1024
