"""Cells of a CSV: none is a formula, and every text comes back as it was."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.evidence.label_errors import LabelNoise
from headstart.runs import Predictions
from headstart.runs.cells import as_given, harmless
from headstart.runs.label_check import LabelCheck, Suspect

ITEMS = [
    '=HYPERLINK("http://x")',
    "+x",
    "-x",
    "@x",
    "\tx",
    "'=x",
    "''-1",
    "'",
    "a=b",
    "-",
    "-1",
    "+1.5e3",
    "=1",
]


@given(st.text(alphabet="'=+-@\t\r\n1a.", max_size=6))
def test_every_text_comes_back(text: str) -> None:
    assert as_given(harmless(text)) == text


def test_numbers_and_the_mark_for_no_label_stay_as_they_are() -> None:
    written = [harmless(item) for item in ITEMS]
    assert written[:7] == [f"'{item}" for item in ITEMS[:7]] and written[-1] == "'=1"
    assert written[7:-1] == ITEMS[7:-1]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_predictions_are_read_back_and_hold_no_formula(tmp_path: Path, ending: str) -> None:
    n_items = len(ITEMS)
    probabilities = np.tile(np.array([0.75, 0.25], np.float32), (n_items, 1))
    given = Predictions(ITEMS, ("=a", "-1"), probabilities, labels=["=a"] * n_items)
    given.write(tmp_path / f"p.{ending}")
    read = Predictions.read(tmp_path / f"p.{ending}")
    assert read.items == ITEMS and read.labels == given.labels and read.predicted == given.predicted
    assert read.classes == given.classes
    rows = list(csv.reader(io.StringIO(given.to_csv(), newline="")))
    assert rows[1][:3] == ['\'=HYPERLINK("http://x")', "'=a", "'=a"]
    assert rows[0][3:] == ["p_=a", "p_-1"]


def test_label_errors_hold_no_formula() -> None:
    suspect = Suspect(0, "=x.png", "train", "@a", "-1", 0.1, 0.9)
    text = LabelCheck((suspect,), {"train": 1}, LabelNoise(0.05, 1e-4)).to_csv()
    row = next(csv.DictReader(io.StringIO(text)))
    assert (row["item"], row["label"], row["suggested"]) == ("'=x.png", "'@a", "-1")
