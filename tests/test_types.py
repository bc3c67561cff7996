"""The public functions are typed: a type checker finds a wrong option, and accepts right ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RIGHT = """
from pathlib import Path
import headstart

run = headstart.fit(Path("photos"), "bundled:letters", freeze="none", epochs=3, lr="auto", out="runs/x", report=False)
print(run.metrics, headstart.fit(data="photos", batch_size=8).path)
model = headstart.TransferClassifier("bundled:letters", "none", seed=1, store=Path("store"))
"""
WRONG = """
import headstart

headstart.fit("photos", batch_sise=8)
headstart.fit("photos", epochs="three")
headstart.fit("photos", task="clasification")
headstart.TransferClassifier(folds=3)
headstart.TransferRegressor(seed="one")
"""


def test_a_wrong_option_is_found_before_it_runs(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", root / "pyproject.toml", "--cache-dir", root / ".mypy_cache",
         tmp_path / "right.py", tmp_path / "wrong.py"],
        capture_output=True, text=True, cwd=root,
    )  # fmt: skip
    found = [line for line in done.stdout.splitlines() if "error:" in line]
    assert [line.partition(".py:")[0][-5:] for line in found] == ["wrong"] * 5, done.stdout + done.stderr
    for line, words in zip(
        found,
        (
            'keyword argument "batch_sise" for "fit"; did you mean "batch_size"',
            '"epochs" to "fit" has incompatible type "str"; expected "int | None"',
            '"task" to "fit" has incompatible type',
            'keyword argument "folds"',
            '"seed" to "TransferRegressor" has incompatible type',
        ),
        strict=True,
    ):
        assert words in line
