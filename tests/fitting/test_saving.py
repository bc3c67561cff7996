"""What the report says of the weights that training kept, and the end of a run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart
import small_data
from headstart.fitting.result import Result
from headstart.fitting.saving import after_training
from headstart.runs import RunDirectory
from headstart.runs.directory import TRAINING
from headstart.tune.race.result import RaceResult
from headstart.tune.training.result import Trained

NOTHING: Any = None


def result(share: float | None = None, **race: bool) -> Result:
    """A result of which only what is asked for is known."""
    trained = Trained("last:1", 3, NOTHING, {}, NOTHING, (), "", 2, None, share=share)
    found = RaceResult("last:1", trained, (), "", **race) if race else None
    return Result(NOTHING, NOTHING, "last:1", 3, NOTHING, np.arange(10), trained=trained, race=found)


@pytest.mark.parametrize("kept", [result(), result(share=1.0), result(refitted=False, averaged=False)])
def test_weights_that_were_returned_as_they_were(kept: Result) -> None:
    assert after_training(kept, again=False) == ""


def test_weights_that_were_not() -> None:
    clauses = [
        after_training(result(), again=True),
        after_training(result(refitted=True), again=False),
        after_training(result(averaged=True), again=False),
        after_training(result(share=0.3), again=False),
        after_training(result(share=0.0), again=False),
    ]
    assert [clause.partition(" ")[0] for clause in clauses] == ["the", "the", "an", "the", "the"]
    assert "training and validation items" in clauses[1] and "average" in clauses[2] and "30%" in clauses[3]
    assert len(set(clauses)) == 5


def test_a_head_alone_was_not_trained() -> None:
    assert after_training(replace(result(), trained=None), again=False) == ""


def test_a_run_that_is_stopped_while_its_checkpoints_are_removed_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = shutil.rmtree

    def stopped(path: Any, *how: Any, **more: Any) -> None:
        if Path(path).name == TRAINING:
            raise KeyboardInterrupt
        plain(path, *how, **more)

    data = small_data.digit_folder(tmp_path / "digits")
    monkeypatch.setattr(shutil, "rmtree", stopped)
    with pytest.raises(KeyboardInterrupt):
        headstart.fit(
            data, small_data.LETTERS, out=tmp_path / "run", store=tmp_path / "store", baseline=False,
            report=False, **small_data.SETTINGS,
        )  # fmt: skip
    monkeypatch.undo()
    assert RunDirectory.open(tmp_path / "run").record.n_test
