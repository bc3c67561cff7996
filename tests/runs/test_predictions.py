"""Predictions: every text survives both formats."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.errors import InputError, OptionError
from headstart.runs.predictions import Predictions

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
ODD = [
    "03",
    "",
    " a ",
    'say "no"',
    "a,b",
    "line\nbreak",
    "p_",
    "label",
    "ä",
    "=1+1",
    "NA",
    "null",
    "\r",
    "True",
]


def same(first: Predictions, second: Predictions) -> None:
    assert list(first.items) == list(second.items)
    assert first.classes == second.classes
    assert (first.labels is None) == (second.labels is None)
    if first.labels is not None and second.labels is not None:
        assert list(first.labels) == list(second.labels)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@given(
    classes=st.lists(TEXT, min_size=1, max_size=4, unique=True),
    items=st.lists(TEXT, max_size=5),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_round_trip(ending: str, classes: list[str], items: list[str], data: st.DataObject) -> None:
    labels = data.draw(st.one_of(st.none(), st.lists(TEXT, min_size=len(items), max_size=len(items))))
    shape = (len(items), len(classes))
    probabilities = np.random.default_rng(0).dirichlet(np.ones(shape[1]), size=shape[0]).astype(np.float32)
    predictions = Predictions(items, tuple(classes), probabilities.reshape(shape), labels)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"predictions.{ending}"
        predictions.write(path)
        same(Predictions.read(path), predictions)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_odd_class_names_survive(ending: str, tmp_path: Path) -> None:
    probabilities = np.eye(len(ODD), dtype=np.float32)
    predictions = Predictions([f"row {i}" for i in range(len(ODD))], tuple(ODD), probabilities, ODD)
    predictions.write(tmp_path / f"p.{ending}")
    read = Predictions.read(tmp_path / f"p.{ending}")
    same(read, predictions)
    assert read.predicted == ODD


def test_columns_in_order(tmp_path: Path) -> None:
    probabilities = np.array([[0.25, 0.75]])
    known = Predictions(["a.png"], ("no", "yes"), probabilities, ["no"])
    assert known.table().column_names == ["item", "label", "predicted", "p_no", "p_yes"]
    assert known.table().to_pylist()[0]["predicted"] == "yes"
    unknown = Predictions(["a.png"], ("no", "yes"), probabilities)
    assert unknown.table().column_names == ["item", "predicted", "p_no", "p_yes"]


def test_names_that_are_no_utf8_are_written_as_escapes(tmp_path: Path) -> None:
    Predictions(["\udce9t.wav"], ("a",), np.ones((1, 1), np.float32)).write(tmp_path / "p.parquet")
    assert Predictions.read(tmp_path / "p.parquet").items == ["\\udce9t.wav"]


def test_errors(tmp_path: Path) -> None:
    predictions = Predictions(["x"], ("a",), np.ones((1, 1), np.float32))
    with pytest.raises(OptionError, match=r"\.csv or \.parquet"):
        predictions.write(tmp_path / "p.xlsx")
    with pytest.raises(OptionError, match="no folder"):
        predictions.write(tmp_path / "no" / "p.csv")
    with pytest.raises(InputError, match="no predictions"):
        Predictions.read(tmp_path / "p.csv")
    (tmp_path / "p.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(InputError, match="cannot be read"):
        Predictions.read(tmp_path / "p.parquet")
    (tmp_path / "p.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="columns a, b"):
        Predictions.read(tmp_path / "p.csv")
    with pytest.raises(ValueError, match="shape"):
        Predictions(["x"], ("a",), np.ones((2, 1), np.float32))
    with pytest.raises(ValueError, match="one label"):
        Predictions(["x"], ("a",), np.ones((1, 1), np.float32), [])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("task", ["classification", "multilabel"])
def test_of_very_many_classes_the_highest_probabilities_are_kept(
    ending: str, task: str, tmp_path: Path
) -> None:
    n_items, classes = 40, ("\udce9", 'a "b"', *(f"{k}" for k in range(2, 10_000)))
    generator = np.random.default_rng(0)
    rows = generator.dirichlet(np.full(len(classes), 0.01), n_items).astype(np.float32)
    own = [f"{k}" for k in range(3, 3 + n_items)]
    if task == "multilabel":
        rows = (0.4 * generator.random((n_items, len(classes)))).astype(np.float32)
        rows[:, 100:130] = 0.9  # more than are kept of one class per item
        own = [f"{label}|9999" for label in own]
    path = tmp_path / f"p.{ending}"
    written = Predictions([f"{k}.png" for k in range(n_items)], classes, rows, own, task)
    written.write(path)
    assert path.stat().st_size < 300_000  # 2 MB with a column per class
    read = Predictions.read(path)
    assert read.labels == own and read.predicted == written.predicted and read.task == task
    if ending == "parquet":
        assert read.classes == ("\\udce9", *classes[1:])
    for label in own[0].split("|"):
        assert read.probabilities[0, read.classes.index(label)] == rows[0, classes.index(label)]
    kept = (read.probabilities > 0).sum(axis=1)
    assert (kept >= 20).all() and (kept <= 33).all()
    found, true = np.sort(read.probabilities)[:, -20:], np.sort(rows)[:, -20:]
    np.testing.assert_array_equal(found, true)


def test_a_thousand_classes_have_a_column_each() -> None:
    rows = np.full((1, 1_000), 1e-3, np.float32)
    table = Predictions(["a"], tuple(map(str, range(1_000))), rows).table()
    assert table.num_columns == 1_002 and "top" not in table.column_names


def test_a_damaged_column_of_probabilities_is_one_error(tmp_path: Path) -> None:
    for text in ("[1]", '"{"', '"{""a"": ""x""}"'):
        (tmp_path / "p.csv").write_text(f"item,predicted,top\na.png,a,{text}\n")
        with pytest.raises(InputError, match=r"p\.csv cannot be read as a table of predictions"):
            Predictions.read(tmp_path / "p.csv")
