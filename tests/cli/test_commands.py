"""What the commands print, where, and that a script gets the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import headstart
from small_data import LETTERS

from .conftest import Command

FIT = ("--precision", "fp32", "--threads", 1, "--no-baseline", "--no-report")


def in_a_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_and_import_load_no_heavy_library() -> None:
    heavy = "{'torch', 'timm', 'transformers', 'sklearn', 'scipy', 'pyarrow', 'datasets', 'numpy'}"
    told = in_a_process(
        f"""
import sys
import headstart, headstart.cli
assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)
sys.argv = ["headstart", "fit", "--help"]
try:
    headstart.cli.main()
except SystemExit:
    pass
assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)
"""
    )
    assert "--freeze" in told and "--resume" in told


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_the_commands(words: list[str], command: Command) -> None:
    told = command(*words)
    for name in ("fit", "predict", "report", "demo", "cache"):
        assert f"\n  {name}" in told.out + told.err


def test_version(command: Command) -> None:
    from importlib.metadata import version

    assert command("--version").out.strip() == version("headstart")


def test_a_script_gives_what_the_command_gives(command: Command, digit_folder: Path, tmp_path: Path) -> None:
    done = command("fit", digit_folder, "--source", LETTERS, "--out", tmp_path / "x", "--json", *FIT)
    assert done.code == 0
    told = json.loads(done.out)
    assert told.pop("run") == str(tmp_path / "x")
    assert told == json.loads((tmp_path / "x" / "metrics.json").read_text())
    options = {"precision": "fp32", "threads": 1, "baseline": False, "report": False}
    run = headstart.fit(digit_folder, source=LETTERS, out=tmp_path / "y", **options)  # type: ignore[arg-type]
    assert "report.html" not in run.summary and "headstart report" not in run.summary
    for key in ("test", "chosen", "profile", "n_train", "n_test", "verdict"):
        assert run.metrics[key] == told[key]

    given = command("predict", tmp_path / "x", digit_folder, "-q")
    assert given.code == 0 and given.err == ""
    assert given.out == run.predict(digit_folder).to_csv()
    asked = command("predict", tmp_path / "x", digit_folder, "--out", tmp_path / "p.csv")
    assert (asked.out, (tmp_path / "p.csv").read_text()) == ("", given.out)
    assert "42 predictions are in" in asked.err

    listed = json.loads(command("cache", "--json").out)
    assert [entry["label"] for entry in listed["entries"]] == [LETTERS]
    assert "removed 1 key," in command("cache", "--prune").out
    missing = command("report", tmp_path / "x", "--no-open")
    assert missing.code == 2 and "--no-report" in missing.err


def test_results_on_stdout_talk_on_stderr(command: Command, digit_folder: Path, tmp_path: Path) -> None:
    words = ("fit", digit_folder, "--source", LETTERS, "--out", tmp_path / "x", "--precision", "fp32")
    loud = command(*words)
    assert "42 items, 3 classes" in loud.err and "42 items, 3 classes" not in loud.out
    assert "Accuracy" in loud.out and "--freeze auto --budget 5m" in loud.out
    assert (tmp_path / "x" / "report.html").is_file()
    assert command("report", tmp_path / "x", "--no-open").out.strip() == str(tmp_path / "x" / "report.html")
    quiet = command(*words, "-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, f"{tmp_path / 'x-2'}\n", "")
    assert (tmp_path / "x-2" / "metrics.json").is_file()


def test_a_dry_run_writes_nothing(
    command: Command, digit_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    done = command("fit", digit_folder, "--source", LETTERS, "--freeze", "first:2", "--dry-run")
    assert done.code == 0 and list(tmp_path.iterdir()) == []
    for told in (
        "digit 1",
        "Checks:",
        "block3",
        "Stages under --freeze first:2",
        "features: about",
        "MB",
        "training: about",
    ):
        assert told in done.out


def test_options_over_those_of_a_configuration(command: Command, digit_folder: Path, tmp_path: Path) -> None:
    command("fit", digit_folder, "--source", LETTERS, "--out", tmp_path / "x", "-q", "--seed", 3, *FIT)
    config = tmp_path / "x" / "headstart.yaml"
    again = command("fit", "--config", config, "--out", tmp_path / "y", "--json")
    other = command("fit", "--config", config, "--out", tmp_path / "z", "--json", "--seed", 4)
    assert json.loads(again.out)["test"] == json.loads((tmp_path / "x" / "metrics.json").read_text())["test"]
    assert "seed: 3" in (tmp_path / "y" / "headstart.yaml").read_text()
    assert other.code == 0 and "seed: 4" in (tmp_path / "z" / "headstart.yaml").read_text()
