"""The study file: what was kept is found again, whatever was cut off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import optuna
import pytest

from headstart.errors import HeadstartError, OptionError
from headstart.tune.race.study import Facts, Outcome, Study

POLICIES = ["none", "first:1"]
LOGITS = np.arange(6, dtype=np.float32).reshape(3, 2)
LOOK = LOGITS.T / 6


def filled(folder: Path | None) -> Study:
    study = Study(folder, POLICIES, resume=False)
    study.enter("none", "none", 1.0, from_scratch=False)
    study.note("none", epochs=4, seconds=1.5)
    study.report("none", 1, 0.5, LOGITS, [LOOK, LOOK + 1])
    study.enter("first:1 at 3x the rate", "first:1", 3.0, from_scratch=False)
    study.decide("epochs", {"none": 4})
    study.end("first:1 at 3x the rate", "pruned")
    study.spend(12.0)
    return study


def found_again(study: Study) -> None:
    study.enter("none", "none", 1.0, from_scratch=False)
    study.enter("first:1 at 3x the rate", "first:1", 3.0, from_scratch=False)
    assert study.rungs("none") == {1: 0.5} and study.facts("none") == Facts(epochs=4, seconds=1.5)
    assert np.array_equal(study.logits("none", 1), LOGITS)
    assert np.array_equal(study.looks("none", 1), [LOOK, LOOK + 1])
    assert study.decide("epochs", {"none": 9}) == {"none": 4}
    assert study.is_open("none") and not study.is_open("first:1 at 3x the rate")
    assert study.spent_seconds == 12.0


def test_a_study_without_a_folder_keeps_all_in_memory() -> None:
    found_again(filled(None))


def test_a_study_is_found_again_and_goes_on(tmp_path: Path) -> None:
    filled(tmp_path)
    study = Study(tmp_path, POLICIES, resume=True)
    found_again(study)
    study.report("none", 2, 0.4, LOGITS)
    study.end("none", "complete", 0.4)
    study.note("none", epochs=7)  # closed: it stays as it is
    assert study.rungs("none") == {1: 0.5, 2: 0.4} and study.facts("none").epochs == 4
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.jsonl"))
    )
    trials = optuna.load_study(study_name="race", storage=storage).trials  # as any Optuna tool opens it
    assert [trial.state.name for trial in trials] == ["COMPLETE", "PRUNED"]
    assert trials[1].params == {"policy": "first:1", "rate": 3.0, "start": "pretrained"}


def test_half_a_line_is_left_out(tmp_path: Path) -> None:
    filled(tmp_path)
    with open(tmp_path / "study.jsonl", "ab") as file:
        file.write(b'{"op_code": 6, "wor')
    found_again(Study(tmp_path, POLICIES, resume=True))


def test_a_killed_entry_is_finished(tmp_path: Path) -> None:
    filled(tmp_path)
    lines = (tmp_path / "study.jsonl").read_bytes().splitlines(keepends=True)
    for n_lines in range(2, len(lines)):
        (tmp_path / "study.jsonl").write_bytes(b"".join(lines[:n_lines]))
        study = Study(tmp_path, POLICIES, resume=True)
        study.enter("none", "none", 1.0, from_scratch=False)
        study.enter("first:1 at 3x the rate", "first:1", 3.0, from_scratch=False)
        study.note("none", epochs=4)
        study.end("none", "pruned")
        trials = study._study.trials
        assert [trial.params.get("policy") for trial in trials] == ["none", "first:1"]


def test_the_race_of_an_older_version_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / "study.jsonl"
    lines = [line for line in path.read_text().splitlines(keepends=True) if '"format"' not in line]
    path.write_text("".join(lines))
    with pytest.raises(OptionError, match=r"cannot resume the race in .*another version of headstart"):
        Study(tmp_path, POLICIES, resume=True)
    found = Study(tmp_path, POLICIES, resume=False)
    found.enter("none", "none", 1.0, from_scratch=False)
    assert found.rungs("none") == {}


def test_outcomes_are_kept_as_types(tmp_path: Path) -> None:
    study = filled(tmp_path)
    study.note("none", outcome=Outcome.FAILED, why="failed: the loss is not a number")
    again = Study(tmp_path, POLICIES, resume=True)
    again.enter("none", "none", 1.0, from_scratch=False)
    assert again.facts("none").outcome is Outcome.FAILED


def test_a_damaged_study_starts_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(tmp_path)
    path = tmp_path / "study.jsonl"
    path.write_bytes(b"not JSON\n" + path.read_bytes())
    study = Study(tmp_path, POLICIES, resume=True)
    study.enter("none", "none", 1.0, from_scratch=False)
    assert study.rungs("none") == {} and not study.is_resumed
    assert "is damaged; the race starts again" in capsys.readouterr().err


def test_without_resume_nothing_is_resumed(tmp_path: Path) -> None:
    filled(tmp_path)
    study = Study(tmp_path, POLICIES, resume=False)
    study.enter("none", "none", 1.0, from_scratch=False)
    assert study.rungs("none") == {} and study.spent_seconds == 0.0


def raced(folder: Path, kill_after: float | None = None) -> dict[str, object] | None:
    """A race in a process of its own; None where it was killed."""
    command = [sys.executable, str(Path(__file__).parents[1] / "racing.py"), str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if kill_after is not None:
        begun = time.monotonic()
        while not (folder / "race" / "study.jsonl").exists() and process.poll() is None:
            time.sleep(0.01)
            assert time.monotonic() - begun < 300
        time.sleep(kill_after)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
    told, _ = process.communicate(timeout=300)
    return json.loads(told.splitlines()[-1]) if process.returncode == 0 else None


@pytest.mark.parametrize(
    "moments", [(1.0,), pytest.param(tuple(np.linspace(0, 6, 15)), marks=pytest.mark.full)]
)
def test_a_race_killed_at_any_moment_ends_the_same(tmp_path: Path, moments: tuple[float, ...]) -> None:
    whole = raced(tmp_path / "whole")
    assert whole is not None
    for moment in moments:
        raced(tmp_path / "killed", float(moment))
    found = raced(tmp_path / "killed")
    assert found is not None
    assert (found["digest"], found["rungs"], found["reason"]) == (
        whole["digest"],
        whole["rungs"],
        whole["reason"],
    )


def test_a_folder_in_the_place_of_the_journal_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "study.jsonl").mkdir()
    for resume in (False, True):
        with pytest.raises(HeadstartError, match=r"cannot write .*study\.jsonl: "):
            Study(tmp_path, POLICIES, resume=resume)
