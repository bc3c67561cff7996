"""The column of the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import small_data
from headstart.data import read_examples
from headstart.data.columns import MissingColumn
from headstart.errors import DataError


def table(folder: Path, weights: list[str]) -> Path:
    rows = "".join(f"a word of text {k},{'ab'[k % 2]},{weight}\n" for k, weight in enumerate(weights))
    return small_data.write(folder / "texts.csv", f"text,label,importance\n{rows}")


def test_a_column_gives_the_weights_and_is_no_other_column(tmp_path: Path) -> None:
    read = read_examples(table(tmp_path, ["1", "0", "2.5", "1e1"]), weight="Importance")
    assert read.weights is not None and read.weights.tolist() == [1.0, 0.0, 2.5, 10.0]
    assert read.weight == "importance" and "importance" not in read.other_columns
    assert read.take([2, 0]).weights.tolist() == [2.5, 1.0]  # type: ignore[union-attr]
    plain = read_examples(table(tmp_path, ["1", "x", "", "-3"]))
    assert plain.weights is None and "importance" in plain.other_columns


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        (["1", "-2"], "the weight of row 2 must be a number from 0 to 1e\\+100, got '-2'"),
        (["", "1"], "the weight of row 1 must be"),
        (["1", "nan"], "the weight of row 2 must be"),
        (["inf", "1"], "the weight of row 1 must be"),
        (["a", "b"], r"the weight of row 1 must be .* \(2 items\)"),
        (["0", "0"], "all weights are 0"),
    ],
)
def test_what_is_no_weight_names_the_row(weights: list[str], what: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=what):
        read_examples(table(tmp_path, weights), weight="importance")


def test_columns_that_are_not_there_or_are_something_else(tmp_path: Path) -> None:
    path = table(tmp_path, ["1", "2"])
    with pytest.raises(
        MissingColumn, match=r"no column 'importanc' \(--weight\)\. Did you mean 'importance'"
    ):
        read_examples(path, weight="importanc")
    with pytest.raises(DataError, match=r"column 'label' \(--weight\) is the target"):
        read_examples(path, weight="label")
    folder = small_data.digit_folder(tmp_path / "digits", n_each=2)
    with pytest.raises(MissingColumn, match=r"has no columns, and so no column 'w' \(--weight\)"):
        read_examples(folder, weight="w")


def test_paths_of_files_take_weights(tmp_path: Path) -> None:
    path = small_data.digit_table(tmp_path)
    lines = path.read_text().splitlines()
    more = [f"{lines[0]},w", *(f"{line},{k + 1}" for k, line in enumerate(lines[1:]))]
    path.write_text("\n".join(more))
    read = read_examples(path, weight="w")
    np.testing.assert_array_equal(read.weights, np.arange(1, len(lines)))
