"""`DataSet`: read, checked and split once, with or without labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.clock import Clock
from headstart.data import DataSet, Examples, with_splits
from headstart.data.duplicate_checks import identity
from headstart.data.scanning import scan
from headstart.errors import DataError


def words(path: Path, labels: list[str], header: str = "text,label", text: str = "word {}") -> Path:
    rows = "".join(
        f"{text.format(i)}{',' + label if label is not None else ''}\n" for i, label in enumerate(labels)
    )
    path.write_text(f"{header}\n{rows}", encoding="utf-8")
    return path


def test_it_reads_scans_checks_and_splits(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 10, "dog": 10})
    (folder / "cat" / "bad.png").write_bytes(b"no picture")
    clock = Clock()
    data = DataSet.read(folder, seed=3, threads=1, clock=clock)
    assert len(data) == 20 and data.classes == ("cat", "dog")
    assert data.labels is not None and data.codes is not None
    assert data.codes.tolist() == [data.classes.index(label) for label in data.labels]
    assert (data.scan.digests != "").all() and len(data.scan.digests) == 20
    assert [finding.kind for finding in data.findings if finding.severity == "warning"] == ["unreadable"]
    expected = with_splits(Examples.from_lists(list(data.examples.items), data.labels), seed=3)
    np.testing.assert_array_equal(data.examples.splits, expected.splits)
    assert len(data.positions("test")) == 4 and len(data.positions("validation")) == 0
    assert set(clock.seconds) == {"data", "checks", "total"}


def test_units_join_groups_that_share_an_item(tmp_path: Path) -> None:
    examples = Examples.from_lists(
        ["so", "so", "la", "fa", "mi", "re"], list("ababab"), groups=[1, 2, 3, 3, 4, 5]
    )
    data = DataSet.of(examples, seed=0, threads=1)
    assert data.units is not None
    assert data.units[0] == data.units[1] and data.units[2] == data.units[3]
    assert len(set(data.units)) == 4
    keys = identity(examples, scan(examples.items, "text", threads=1))
    assert keys[0] == keys[1] != keys[2]


def test_near_copies_are_one_unit_and_stay_together() -> None:
    generator = np.random.default_rng(0)
    vocabulary = [f"{first}{second}" for first in "bdfglm" for second in ("arin", "o", "etta", "ull")]
    items = [" ".join(generator.choice(vocabulary, 30)) for _ in range(60)]
    items += [f"RT: {text}" for text in items[:20]]
    for seed in range(5):
        data = DataSet.of(Examples.from_lists(items, list("ab" * 40)), seed=seed, threads=1)
        assert data.units is not None and len(set(data.units)) == 60
        assert (data.units[:20] == data.units[60:]).all()
        assert (data.examples.splits[:20] == data.examples.splits[60:]).all()
        assert {"train", "test"} == set(data.examples.splits)
        assert [finding.kind for finding in data.findings] == ["near_duplicate_within"]


def test_folds_learn_from_everything(tmp_path: Path) -> None:
    path = words(tmp_path / "a.csv", ["a", "b"] * 6)
    data = DataSet.read(path, folds=3, seed=1, threads=1)
    assert len(data.positions("train")) == 12
    assert data.examples.split_origin == "Evaluated by cross-validation of the whole procedure, seed 1."
    whole = DataSet.of(Examples.from_lists(["so", "la"], ["a", "b"]), split=False, threads=1)
    assert len(whole.positions("train")) == 2


@pytest.mark.parametrize("kind", ["bare files", "no label column", "all labels empty"])
def test_data_without_labels_is_a_normal_case(
    tmp_path: Path, class_folders: Callable[..., Path], kind: str
) -> None:
    if kind == "bare files":
        path = class_folders({".": 10}, "bare")
    elif kind == "no label column":
        path = words(tmp_path / "a.csv", [None] * 10, "text")  # type: ignore[list-item]
    else:
        path = words(tmp_path / "a.csv", [""] * 10)
    data = DataSet.read(path, labels="optional", threads=1)
    assert data.labels is None and data.codes is None and data.strata is None and data.classes == ()
    assert not data.examples.labelled.any()
    assert len(data.positions("test")) == 2
    assert "stratified" not in data.examples.split_origin
    assert data.findings == ()
    with pytest.raises(DataError):
        DataSet.read(path, threads=1)


@pytest.mark.parametrize(
    ("task", "labels", "missing"),
    [
        ("classification", ["a", "", "b", "a", "b"] * 4, -1),
        ("regression", ["1.5", "", "2.5", "3.25", "0.5"] * 4, np.nan),
        ("multilabel", ["a|b", "", "b", "-", "a"] * 4, np.nan),
    ],
)
def test_partly_labelled_data_has_a_mask(
    tmp_path: Path, task: Any, labels: list[str], missing: float
) -> None:
    path = words(tmp_path / "a.csv", labels)
    data = DataSet.read(path, task=task, labels="optional", threads=1)
    known = np.array([label != "" for label in labels])
    np.testing.assert_array_equal(data.examples.labelled, known)
    assert data.codes is not None and data.strata is not None
    alone = data.examples.take(known)
    np.testing.assert_array_equal(data.codes[known], alone.codes)
    np.testing.assert_array_equal(data.codes[~known], np.full_like(data.codes[~known], missing))
    np.testing.assert_array_equal(data.strata[known], alone.strata)
    assert (data.strata[~known] == -1).all()
    assert "" not in data.classes
    held_out = data.examples.splits == "test"
    assert held_out.sum() == 4 and held_out[known].any()
    assert [(f.kind, f.n_items) for f in data.findings if f.kind == "unlabelled"] == [("unlabelled", 4)]
    with pytest.raises(DataError, match=r"a\.csv: column 'label' is empty for 4 of 20 items \(row 2, row 7"):
        DataSet.read(path, task=task, threads=1)


def test_unlabelled_copies_do_not_contradict(tmp_path: Path) -> None:
    examples = Examples.from_lists(["so", "so", "la", "la", "fa", "mi"], ["a", "", "a", "b", "a", "b"])
    data = DataSet.of(examples, labels="optional", threads=1)
    conflicting = [finding for finding in data.findings if finding.kind == "conflicting_labels"]
    assert len(conflicting) == 1 and "such as row 3 = row 4 'la': a / b." in conflicting[0].message
    with pytest.raises(DataError, match=r"is empty for 1 of 6 items \(row 2\)"):
        DataSet.of(examples, threads=1)
    with pytest.raises(DataError, match="has no labels to learn"):
        DataSet.of(Examples.from_lists(["so", "la"]), threads=1)


def test_no_label_in_the_training_part(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label,split\nso,,train\nla,,train\nfa,1.5,test\nmi,2.5,test\n", encoding="utf-8")
    data = DataSet.read(path, task="regression", labels="optional", threads=1)
    assert [finding.kind for finding in data.findings] == ["unlabelled"]


def test_one_class_is_fine_unless_labels_are_required(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"unsorted": 6}, "unsorted")
    assert DataSet.read(folder, labels="optional", threads=1).classes == ("unsorted",)
    with pytest.raises(DataError, match="At least two classes"):
        DataSet.read(folder, threads=1)
