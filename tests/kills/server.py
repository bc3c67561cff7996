"""Runs that are ended at a chosen call of the system: one server imports everything and forks a process per run.

    python server.py FOLDER TASK:COUNT ...

A task is repeated, each time with another call, COUNT of them evenly spread over all (0: every one):

fit      a fit is killed at the call, then resumed
audit    an audit is killed at the call, then resumed
adapt    an adaptation is killed at the call, then resumed
predict  `predict --out` is killed at the call, then given again
full     from the call on the disk is full for a fit; then there is room, and it is resumed
lost     at the call the store is removed; then the fit is resumed

Prints one line of JSON: for each task how many calls there are, how many processes were ended, and every fault.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import small_data

CALLS = ("replace", "rename", "fsync", "unlink", "remove", "mkdir", "rmdir")
Act = Callable[[str, tuple[Any, ...]], None]
STOPPED_EARLY = "was stopped before anything was done"
FINISHED = "is finished: there is nothing to resume"


def at_call(number: int, act: Act, *, once: bool = True) -> Counter[str]:
    """Call `act` before the numbered call of the system that changes names or flushes; returns the calls so far."""
    seen: Counter[str] = Counter()

    def wrapped(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            seen[name] += 1
            if seen.total() == number or (not once and seen.total() > number):
                act(name, given)
            return plain(*given, **named)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(name, getattr(os, name)))
    return seen


def in_a_process(folder: Path, words: list[str], prepare: Callable[[], Any] = Counter) -> tuple[int, str]:
    """Run a command in a process of its own; returns its exit code (-9: killed) and what it said."""
    log = folder / "log"
    process = os.fork()
    if not process:
        code = 1
        try:
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            os.chdir(folder)
            sys.argv = ["headstart", *words]
            seen = prepare()
            from headstart.cli import main

            try:
                main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
            sys.stdout.flush()
            (folder / "log calls").write_text(json.dumps(seen))
        finally:
            os._exit(code)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), log.read_text(errors="replace")


def fit_words(data: Path) -> list[str]:
    words = f"fit {data} --source {small_data.LETTERS} --out x --store store --freeze last:1 --epochs 2"
    return f"{words} --batch-size 16 --threads 1 --precision fp32 --no-report --no-baseline".split(" ")


def audit_words(data: Path) -> list[str]:
    words = f"audit {data} --source {small_data.LETTERS} --out x --store store --against classical --seeds 2"
    return f"{words} --labels 12,all --threads 1 --precision fp32 --no-report".split(" ")


def adapt_words(data: Path) -> list[str]:
    words = f"adapt {data} {data.parent / 'pale.npz'} --source {small_data.LETTERS} --out x --store store"
    return f"{words} --method bn+standardise --threads 1 --precision fp32 --no-report".split(" ")


def pale(value: np.ndarray) -> np.ndarray:
    """The pictures of another domain; labels stay as they are."""
    return value if value.dtype != np.uint8 else (150 + value // 3).astype(np.uint8)


WORDS = {"audit": audit_words, "adapt": adapt_words}


def untimed(value: Any) -> Any:
    """The same without what depends on time."""
    if isinstance(value, dict):
        timed = ("seconds", "seconds_transfer", "time_factor", "peak_bytes")
        return {key: untimed(each) for key, each in value.items() if key not in timed}
    return [untimed(each) for each in value] if isinstance(value, list) else value


def contents(folder: Path, *, store: bool = True) -> dict[str, Any]:
    """What a folder of a fit holds: of run and store every name, and the bytes that must be the same each time."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name in ("log", "log calls") or path.is_dir() or (name.startswith("store/") and not store):
            continue
        same = (
            (
                name.startswith("store/") and path.name != "program.zip"
            )  # two traces name their nodes differently
            or path.suffix in (".parquet", ".safetensors")
            or path.name == "head.json"
        )
        found[name] = path.read_bytes() if same else None
        if path.name == "metrics.json":
            found[name] = json.dumps(untimed(json.loads(path.read_text())))
        if path.name == "history.jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            found[name] = [{key: row[key] for key in row if key != "seconds"} for row in rows]
    return found


def differing(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    names = sorted(expected.keys() | found.keys())
    return [
        f"{name} {'is missing' if name not in found else 'is left' if name not in expected else 'differs'}"
        for name in names
        if (name in expected) != (name in found) or expected.get(name) != found.get(name)
    ]


def resumed(folder: Path, words: list[str]) -> str:
    """Resume a fit, an audit or an adaptation as a user would, by what the messages say; returns what went wrong."""
    if (folder / "x").exists():
        code, said = in_a_process(folder, [words[0], "--resume", "x"])
        if code == 0 or (code == 2 and FINISHED in said):
            return ""
        if not (code == 2 and STOPPED_EARLY in said):
            return f"resume: {code} {said[-300:]}"
    code, said = in_a_process(folder, words)
    return "" if code == 0 else f"again: {code} {said[-300:]}"


def predicted(folder: Path, words: list[str]) -> str:
    """Give a prediction again: what is there is replaced only by force, and is whole."""
    out = folder / "p.csv"
    if out.exists():
        code, said = in_a_process(folder, words)
        if code != 2 or "exists already" not in said:
            return f"an existing file: {code} {said[-300:]}"
        words = [*words, "--force"]
    code, said = in_a_process(folder, words)
    return "" if code == 0 else f"again: {code} {said[-300:]}"


def killed(name: str, given: tuple[Any, ...]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def full(name: str, given: tuple[Any, ...]) -> None:
    if name in ("fsync", "mkdir"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def lost(name: str, given: tuple[Any, ...]) -> None:
    shutil.rmtree("store", ignore_errors=True)


def chosen(n_calls: int, count: int) -> Iterator[int]:
    """Numbers of calls, from 1: all, or the middles of equal parts."""
    count = count or n_calls
    yield from (1 + int((index + 0.5) * n_calls / count) for index in range(count))


def warm(folder: Path, data: Path) -> None:
    """Import and start everything that the processes need; no gradient is computed, which no fork survives."""
    import headstart.fitting.training
    import headstart.tune.training.training as training
    from headstart.verbs.fit import fit

    headstart.fitting.training._is_compared = lambda workspace, validation: False
    training.Training.__init__.__kwdefaults__["checkpoint_seconds"] = 0.0
    options: dict[str, Any] = {"precision": "fp32", "threads": 1, "report": False, "baseline": False}
    fit(data, small_data.LETTERS, out=folder / "warm", store=folder / "warm store", **options)


def serve(task: str, count: int, root: Path, data: Path) -> dict[str, Any]:
    act = {"full": full, "lost": lost}.get(task, killed)
    words, finish = WORDS.get(task, fit_words)(data), resumed
    if task == "predict":
        words, finish = (
            ["predict", str(root / "warm"), str(data), "--out", "p.csv", "--threads", "1"],
            predicted,
        )
    alone = root / f"{task} alone"
    alone.mkdir()
    code, said = in_a_process(alone, words, lambda: at_call(0, act))
    assert code == 0, said
    kept = act is not lost  # else a run that needed the store no more ends without one
    expected, kinds = contents(alone, store=kept), Counter(json.loads((alone / "log calls").read_text()))
    faults, n_ended = [], 0
    for number in chosen(kinds.total(), count):
        folder = root / f"{task} {number}"
        folder.mkdir()
        code, said = in_a_process(folder, words, partial(at_call, number, act, once=act is not full))
        n_ended += code != 0
        wrong = "" if code in (0, -signal.SIGKILL if act is killed else 1) else f"{code} {said[-400:]}"
        wrong = wrong or ("" if "internal error" not in said else said[-400:]) or finish(folder, words)
        differ = [] if wrong else differing(expected, contents(folder, store=kept))
        if wrong or differ:
            faults.append({"call": number, "wrong": wrong, "differ": differ})
        shutil.rmtree(folder)
    return {"calls": dict(kinds), "ended": n_ended, "faults": faults}


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    place = Path(sys.argv[1]).resolve()
    pictures = small_data.digit_npz(place / "digits.npz")
    np.savez(place / "pale.npz", **{name: pale(value) for name, value in np.load(pictures).items()})
    warm(place, pictures)
    tasks = (word.split(":") for word in sys.argv[2:])
    print(json.dumps({task: serve(task, int(count), place, pictures) for task, count in list(tasks)}))
