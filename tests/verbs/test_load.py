"""A run that is loaded answers as `predict` does, and reads its model once."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import headstart
import headstart.runs.program as program
from headstart.errors import InputError
from headstart.runs.run import Run


def test_a_loaded_run_reads_its_model_once(
    digit_run: Run, digit_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    run_program = program.run_program
    monkeypatch.setattr(program, "run_program", lambda path: [opened.append(path), run_program(path)][1])
    run = headstart.load(digit_run.path)
    files = sorted(digit_folder.rglob("*.png"))[:6]
    expected = headstart.predict(digit_run.path, [str(file) for file in files])
    assert run.path == digit_run.path and run.metrics["kind"] == "fit" and len(opened) == 1
    for items in ([str(file) for file in files], [Image.open(file) for file in files]):
        np.testing.assert_array_equal(run.predict(items).probabilities, expected.probabilities)
    one = run.predict(Image.open(files[0]))
    np.testing.assert_allclose(one.probabilities, expected.probabilities[:1], atol=1e-6)
    assert len(opened) == 2
    again = pickle.loads(pickle.dumps(run))
    assert again.predict(str(files[0])).predicted == one.predicted


def test_what_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        headstart.load(tmp_path / "nothing")


def test_recordings_of_a_script(tone_run: Run) -> None:
    tone = np.sin(np.arange(16_000) / 10).astype(np.float32)
    found = headstart.load(tone_run.path).predict({"array": tone, "sampling_rate": 16_000})
    assert len(found.items) == 1
