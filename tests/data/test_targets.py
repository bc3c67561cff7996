"""Tasks: what labels are taken for, how they are checked, encoded and kept in proportion."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data import Examples, check, read_examples, scan, with_splits
from headstart.data.splits import fold_indices, holdout_indices
from headstart.errors import DataError
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, Targets, Task
from small_data import found, write


def table(folder: Path, labels: list[str], name: str = "data.csv") -> Path:
    path = folder / name
    rows = "\n".join(f'some words number {i},"{label}"' for i, label in enumerate(labels))
    path.write_text(f"text,label\n{rows}\n", encoding="utf-8")
    return path


def test_classes_are_what_is_taken_without_a_hint(tmp_path: Path) -> None:
    examples = read_examples(table(tmp_path, ["03", "12"] * 20))
    assert examples.task is CLASSIFICATION and examples.classes == ("03", "12") and examples.notes == ()


def test_fractions_are_a_quantity_and_it_says_so(tmp_path: Path) -> None:
    examples = read_examples(table(tmp_path, [f"{i / 3:.2f}" for i in range(30)]))
    assert examples.task is REGRESSION and examples.classes == ()
    assert examples.targets == Targets(REGRESSION, ("label",))
    assert "--task classification" in examples.notes[0] and examples.labels[1] == "0.33"
    as_classes = read_examples(tmp_path / "data.csv", task="classification")
    assert len(as_classes.classes) == 30


def test_whole_numbers_are_a_quantity_when_asked(tmp_path: Path) -> None:
    examples = read_examples(table(tmp_path, [str(i % 5) for i in range(30)]), task="regression")
    encoded = examples.targets.encode(examples.labels)
    assert encoded.dtype == np.float64 and encoded.shape == (30, 1) and encoded[7, 0] == 2


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("high", "row 3.*'high' is not a number"),
        ("nan", "row 3.*'nan' is not finite"),
        ("-inf", "is not finite"),
        ("3,5", "decimal points, not commas"),
        ("", "is empty for 1 of 30 items .row 3"),
    ],
)
def test_a_quantity_that_is_none_names_its_row(bad: str, words: str, tmp_path: Path) -> None:
    labels = [str(i) for i in range(30)]
    labels[2] = bad
    with pytest.raises(DataError, match=words) as caught:
        read_examples(table(tmp_path, labels), task="regression")
    assert "data.csv" in str(caught.value) and "'label'" in str(caught.value)


@pytest.mark.parametrize("joint", ["|", ";"])
def test_labels_joined_in_a_cell(joint: str, tmp_path: Path) -> None:
    cells = [f"cat{joint} dog", "dog", "-", f"bird{joint}cat{joint}cat"] * 5
    examples = read_examples(table(tmp_path, cells), task="multilabel")
    assert examples.classes == ("bird", "cat", "dog")
    assert list(examples.labels[:4]) == ["cat|dog", "dog", "-", "bird|cat"]
    encoded = examples.targets.encode(examples.labels)
    assert encoded[:4].tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0], [1, 1, 0]]
    assert list(examples.targets.decode(encoded)[:4]) == list(examples.labels[:4])
    plain = read_examples(tmp_path / "data.csv")
    assert plain.task is CLASSIFICATION and "--task multilabel" in plain.notes[0]


def test_an_empty_cell_of_labels_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"data.csv: column 'label' is empty for 1 of 20 .*row 2.*Write - for"
    ):
        read_examples(table(tmp_path, ["a|b", "", *["b"] * 18]), task="multilabel")


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_lists_are_labels(kind: str, tmp_path: Path) -> None:
    rows = [{"text": f"word {i}", "label": [["red", "big"], ["big"], []][i % 3]} for i in range(12)]
    path = tmp_path / f"data.{kind}"
    if kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        import pyarrow as pa
        import pyarrow.parquet

        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
    examples = read_examples(path)
    assert examples.task is MULTILABEL and examples.classes == ("big", "red")
    assert list(examples.labels[:3]) == ["big|red", "big", "-"]
    assert "lists" in examples.notes[0]


def test_npz_of_several_labels_and_of_one_hot_classes(tmp_path: Path) -> None:
    pictures = np.zeros((8, 6, 6), dtype=np.uint8)
    several = np.tile([[1, 1, 0], [0, 0, 1], [0, 0, 0], [0, 1, 0]], (2, 1))
    np.savez(tmp_path / "a.npz", images=pictures, labels=several)
    examples = read_examples(tmp_path / "a.npz")
    assert examples.task is MULTILABEL and list(examples.labels[:3]) == ["0|1", "2", "-"]
    np.savez(tmp_path / "b.npz", images=pictures, labels=np.eye(2, dtype=int)[[0, 1] * 4])
    classes = read_examples(tmp_path / "b.npz")
    assert classes.task is CLASSIFICATION and classes.classes == ("0", "1")
    assert "single 1" in classes.notes[0]


def test_the_split_keeps_the_ranges_of_a_quantity_in_proportion() -> None:
    values = np.random.default_rng(0).gamma(2.0, 5.0, 400)
    examples = Examples.from_lists([f"t {i}" for i in range(400)], values, modality="text", task=REGRESSION)
    parted = with_splits(examples)
    test = values[parted.splits == "test"]
    assert len(test) == 80
    wanted = np.quantile(values, [0.1, 0.5, 0.9])
    assert np.allclose(np.quantile(test, [0.1, 0.5, 0.9]), wanted, rtol=0.12)


@given(
    rows=st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=10, max_size=60),
    seed=st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_folds_by_combinations_hold_every_item_once(rows: list[list[bool]], seed: int) -> None:
    encoded = np.array(rows, dtype=np.float32)
    layers = MULTILABEL.strata(encoded)
    assert layers.shape == (len(rows),) and np.bincount(layers)[layers].max() >= 2
    folds = fold_indices(layers, None, 3, seed)
    assert set(folds) <= {0, 1, 2} and len(folds) == len(rows)
    train, held = holdout_indices(layers, None, 0.2, seed)
    assert sorted([*train, *held]) == list(range(len(rows))) and len(held)


@pytest.mark.parametrize("task", [MULTILABEL, REGRESSION])
def test_groups_stay_together(task: Task) -> None:
    rng = np.random.default_rng(1)
    y = rng.random((90, 1)) if task == REGRESSION else (rng.random((90, 4)) < 0.4)
    groups = np.arange(90) // 3
    folds = fold_indices(task.strata(y.astype(np.float32)), groups, 5)
    assert all(len(set(folds[groups == group])) == 1 for group in range(30))


def test_checks_of_labels_and_of_a_quantity() -> None:
    texts = [f"words {i}" for i in range(40)] + ["words 0"]
    labels = ["a|b" if i % 2 else "a" for i in range(39)] + ["a|rare", "a|b"]
    examples = Examples.from_lists(texts, labels, modality="text", task=MULTILABEL)
    kinds = {finding.kind: finding for finding in check(examples, scan(texts, "text", threads=1))}
    assert "Every item" in kinds["unseen_class"].message and "rare (1)" in kinds["few_items"].message
    assert "different labels" in kinds["conflicting_labels"].message
    values = [*np.linspace(0, 1, 40), 900.0]
    examples = Examples.from_lists(texts, values, modality="text", task=REGRESSION)
    kinds = {finding.kind: finding for finding in check(examples, scan(texts, "text", threads=1))}
    assert "row 41 (900)" in kinds["outliers"].message and "from 0 to 900" in kinds["range"].message
    assert "different values" in kinds["conflicting_labels"].message


@pytest.mark.parametrize("blank", ["   ", "\u200b", "\u00a0\ufeff"])
def test_a_label_of_nothing_visible_is_a_missing_label(tmp_path: Path, blank: str) -> None:
    rows = "".join(f"some words {i},{label}\n" for i, label in enumerate(["a", "b", blank] * 4))
    path = write(tmp_path / "a.csv", "text,label\n" + rows)
    with pytest.raises(DataError, match=r"column 'label' is empty for 4 of 12 items \(row 3"):
        read_examples(path)
    optional = read_examples(path, labels="optional")
    assert optional.classes == ("a", "b") and int(optional.labelled.sum()) == 8
    assert not read_examples(path, labels="as written").labelled.all()
    assert Examples.from_lists(["x", "y"], ["a", blank]).labelled.tolist() == [True, False]


def test_items_without_a_group_are_reported(tmp_path: Path) -> None:
    rows = "".join(f"some words {i},{'ab'[i % 2]},{f'p{i // 2}' if i % 5 else ' '}\n" for i in range(40))
    path = write(tmp_path / "a.csv", "text,label,patient\n" + rows)
    n_items, message = found(read_examples(path))["no_group"]
    assert (
        n_items == 8
        and "Column 'patient' is empty for 8 of 40 items (row 1, row 6, row 11 and 5 more)" in message
    )
    with pytest.raises(DataError, match=r"column 'patient' \(--group\) is empty for 8 of 40 items"):
        read_examples(path, group="patient")


def test_a_quantity_beyond_what_squares_can_hold_is_named(tmp_path: Path) -> None:
    rows = "".join(f"some words {i},{'1e200' if i == 6 else i + 0.5}\n" for i in range(40))
    path = write(tmp_path / "a.csv", "text,label\n" + rows)
    with pytest.raises(
        DataError, match=r"row 7: '1e200' is larger than 1e\+100: give the quantity in a larger"
    ):
        read_examples(path)
