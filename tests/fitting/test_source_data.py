"""A fit that is given the source's own training data: what it has seen is reported, with the scores without it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import headstart
import small_data
from headstart.errors import DataError
from headstart.fitting.dry_run import dry_run
from headstart.fitting.options import fit_options
from headstart.runs import RunDirectory
from small_data import LETTERS, SETTINGS


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """Options of a fit of digits: the source's data holds three held-out files and one that is learned from."""
    table = small_data.digit_table(tmp_path)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for index, item in enumerate(sorted((tmp_path / "files").rglob("*.png"))):
        if index in (0, 1, 4, 8):  # each fourth is held out
            shutil.copy(item, theirs / f"seen {index}.png")
    return {
        "data": str(table),
        "source": LETTERS,
        "source_data": str(theirs),
        "out": str(tmp_path / "run"),
        "store": str(tmp_path / "store"),
        "baseline": False,
        **SETTINGS,
    }


def test_what_the_source_has_seen_is_reported(given: dict[str, Any], tmp_path: Path) -> None:
    run = headstart.fit(**given)
    found, n_test = run.metrics["source_data"], run.metrics["n_test"]
    assert (found["name"], found["n_items"], found["n_copies"]) == (given["source_data"], 4, 3)
    n_seen = 3 + found["n_near_copies"]
    without = found["without_seen"]
    assert without["n_items"] == n_test - n_seen and without["metric"] == "accuracy"
    left, whole = without["test"]["accuracy"]["value"], run.metrics["test"]["accuracy"]["value"]
    assert without["difference"]["value"] == pytest.approx(left - whole)
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert f"The source has seen {n_seen} of {n_test} images held out" in page
    assert "is not known. If you have its training data" not in page
    assert f"The source has seen {n_seen} of {n_test} images" in run.summary
    assert run.summary.count("own training data") == 1  # not once more among the checks of the data
    assert RunDirectory.open(run.path).record.extra["source_data"] == found


def test_without_the_option_the_report_says_what_is_not_known(given: dict[str, Any]) -> None:
    run = headstart.fit(**{**given, "source_data": None})
    assert "source_data" not in run.metrics
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert "Whether the source has seen held-out items in its own training is not known." in page


def test_folds_look_for_every_item(given: dict[str, Any]) -> None:
    found = headstart.fit(**given, folds=2, report=False).metrics["source_data"]
    assert found["n_copies"] == 4
    n_seen = found["n_copies"] + found["n_near_copies"]
    assert found["without_seen"]["n_items"] == 42 - n_seen


def test_a_dry_run_shows_it(given: dict[str, Any]) -> None:
    del given["out"]
    (finding,) = [
        each for each in dry_run(fit_options(**given)).plan.findings if each.kind == "seen_by_source"
    ]
    assert finding.severity == "warning" and "seen 0.png" in finding.message


def test_a_wrong_path_is_told_before_anything_is_read(given: dict[str, Any], tmp_path: Path) -> None:
    wrong = {**given, "source_data": str(tmp_path / "nowhere"), "data": str(tmp_path / "digits.csv")}
    (tmp_path / "digits.csv").write_text("no table of files")
    with pytest.raises(DataError, match=r"^--source-data: .*nowhere does not exist"):
        headstart.fit(**wrong)
    assert not (tmp_path / "run").exists()


def test_another_modality(given: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("text\nso\nla\n")
    with pytest.raises(DataError, match=r"^--source-data: .* holds texts, and the data images"):
        headstart.fit(**{**given, "source_data": str(tmp_path / "texts.csv")})
    assert not (tmp_path / "run").exists()
