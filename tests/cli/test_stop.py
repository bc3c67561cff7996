"""Ctrl-C in every phase: exit code 130, one line that says how to go on, nothing half written, then finished."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.runs import RunDirectory
from headstart.runs.directory import TRAINING
from small_data import LETTERS

from .conftest import Command, Done

QUICK = ("--precision", "fp32", "--threads", 1, "--no-baseline")
TRAINED = ("--freeze", "first:2", "--epochs", 2)
PHASES = {
    "reading": "headstart.fitting.reading.read_examples",
    "source": "headstart.sources.load_source",
    "checks": "headstart.data.dataset.scan",
    "features": "headstart.features.extract_pooled",
    "head": "headstart.choose.choose_head",
    "training": "headstart.tune.Training.run",
    "predictions": "headstart.runs.RunDirectory.write_predictions",
    "export": "headstart.runs.export.save_model",
    "report": "headstart.report.render",
    "card": "headstart.runs.card.write_card",
    "history": "headstart.runs.RunDirectory.write_jsonl",
}


def interrupted(original: Callable[..., Any]) -> Callable[..., Any]:
    """The same, with Ctrl-C pressed as soon as its work is done."""

    def call(*positional: Any, **named: Any) -> Any:
        result = original(*positional, **named)
        signal.raise_signal(signal.SIGINT)
        return result

    return call


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """A process started in the background of a shell ignores SIGINT, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def alone(digit_folder: Path, work: Path) -> dict[str, Any]:
    """What the run gives that nobody stops."""
    import headstart

    options = {"precision": "fp32", "threads": 1, "baseline": False, "freeze": "first:2", "epochs": 2}
    run = headstart.fit(digit_folder, LETTERS, out=work / "alone", **options)  # type: ignore[arg-type]
    return {"metrics": run.metrics, "files": sorted(path.name for path in run.path.iterdir())}


def stop_after(phase: str, command: Command, monkeypatch: pytest.MonkeyPatch, *words: object) -> Done:
    """Call the command and press Ctrl-C at the end of a phase."""
    place, _, name = PHASES[phase].rpartition(".")
    if place.rpartition(".")[2][0].isupper():
        module, _, owner = place.rpartition(".")
        holder = getattr(sys.modules[module], owner)
    else:
        holder = sys.modules[place]
    with monkeypatch.context() as patch:
        patch.setattr(holder, name, interrupted(getattr(holder, name)))
        stopped = command(*words)
    assert stopped.code == 130 and stopped.out == "", (phase, stopped.err)
    assert stopped.err.count("headstart: stopped.") == 1 and "Traceback" not in stopped.err, phase
    return stopped


def test_stopped_in_every_phase_and_gone_on_with(
    alone: dict[str, Any],
    command: Command,
    digit_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One run, stopped in each phase in turn, gives what the run gives that nobody stops."""
    monkeypatch.chdir(tmp_path)
    words: tuple[object, ...] = ("fit", digit_folder, "--source", LETTERS, "--out", "x", *TRAINED, *QUICK)
    for phase in PHASES:
        stopped = stop_after(phase, command, monkeypatch, *words)
        if phase in ("reading", "source", "checks"):
            assert stopped.err.endswith("Run the same command again.\n"), phase
            assert list(tmp_path.iterdir()) == [], phase
        else:
            assert stopped.err.endswith("Resume with: headstart fit --resume x\n"), phase
            assert (tmp_path / "x" / "unfinished").is_file(), phase
            assert not [path for path in tmp_path.rglob("*") if path.suffix in (".part", ".tmp")], phase
            words = ("fit", "--resume", "x")
    finished = command(*words, "--json")
    assert finished.code == 0, finished.err
    told = json.loads(finished.out)
    for key in ("test", "chosen", "n_train", "n_validation", "n_test"):
        assert told[key] == alone["metrics"][key]
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == alone["files"]


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process")
def test_a_real_process_in_training(digit_folder: Path, command: Command, tmp_path: Path) -> None:
    """The signal comes from outside at a moment of its own; the resumed run gives the bits of one left alone."""
    words = ["fit", str(digit_folder), "--source", LETTERS, *map(str, QUICK), "--no-report", "--lr", "0.001"]
    words += ["--freeze", "none", "--epochs", "60"]
    code = "import sys; from headstart.cli import main; sys.argv = ['headstart', *sys.argv[1:]]; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words, "--out", "x"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    history = tmp_path / "x" / TRAINING / "history.jsonl"
    while process.poll() is None and not (history.is_file() and history.read_text().count("\n") > 1):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert err.endswith("Resume with: headstart fit --resume x\n")
    assert command("fit", "--resume", tmp_path / "x").code == 0
    assert command(*words, "--out", tmp_path / "y").code == 0
    resumed, alone = (RunDirectory.open(tmp_path / name) for name in "xy")
    np.testing.assert_array_equal(resumed.predictions().probabilities, alone.predictions().probabilities)
    epochs = [[row["epoch"] for row in run.history] for run in (resumed, alone)]
    assert epochs[0] == epochs[1]
