"""`headstart explain` prints what it wrote, and refuses what it cannot explain."""

from __future__ import annotations

import json
from pathlib import Path

from headstart.runs.run import Run

from .conftest import Command, refused


def test_json_and_text(command: Command, digit_run: Run, digit_folder: Path, tmp_path: Path) -> None:
    done = command(
        "explain",
        digit_run.path,
        digit_folder,
        "--most",
        3,
        "--out",
        tmp_path / "x",
        "--json",
        "-q",
        "--threads",
        1,
    )
    assert done.code == 0 and done.err == ""
    told = json.loads(done.out)
    assert told.pop("run") == str(tmp_path / "x")
    assert told == json.loads((tmp_path / "x" / "metrics.json").read_text())
    assert told["n_test"] == 3 and told["explanation"]["n_available"] == 42
    one = next(digit_folder.rglob("*.png"))
    done = command(
        "explain", digit_run.path, one, "--class", "digit 1", "--out", tmp_path / "x", "--threads", 1
    )
    assert done.code == 0 and "Whether the explanations carry information is not known" in done.out.replace(
        "\n", " "
    )
    assert "digit 1" in done.out and str(tmp_path / "x-2") in done.out


def test_what_cannot_be_explained(
    command: Command, digit_run: Run, digit_folder: Path, tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "x")
    refused(
        command("explain", digit_run.path, digit_folder, "--class", "digit 9", *out),
        "digit 9",
        "It knows digit 0",
    )
    refused(command("explain", digit_run.path, tmp_path / "none", *out), "does not exist")
    refused(command("explain", tmp_path / "none", digit_folder, *out), "there is no run at")
    refused(command("explain", digit_run.path, digit_folder, "--most", 0, *out), "option most: must be")
    assert not (tmp_path / "x").exists()
