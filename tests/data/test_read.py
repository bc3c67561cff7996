"""Reading whatever the user points at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headstart.data.checks import check
from headstart.data.read import read_examples
from headstart.data.scanning import scan
from headstart.data.splits import fold_indices, with_splits
from headstart.errors import DataError
from small_data import write


@pytest.mark.parametrize("given", ["the folders", "column 'split'", "the arrays' names"])
def test_a_train_part_alone_is_split_and_said(
    given: str, class_folders: Callable[..., Path], tmp_path: Path
) -> None:
    if given == "the folders":
        data = class_folders({"train/cat": 10, "train/dog": 10})
    elif given == "column 'split'":
        rows = "".join(f"word {i},{'ab'[i % 2]},train\n" for i in range(20))
        data = write(tmp_path / "a.csv", "text,label,split\n" + rows)
    else:
        data = tmp_path / "a.npz"
        np.savez(
            data, train_images=np.arange(20 * 64, dtype=np.uint8).reshape(20, 8, 8), train_labels=[0, 1] * 10
        )
    examples = with_splits(read_examples(data))
    assert examples.split_origin == (
        f"The split given by {given} has a train part only. So 4 of 20 items are held out of it, stratified, "
        "seed 0."
    )


def test_a_wrapping_folder_is_looked_into(class_folders: Callable[..., Path]) -> None:
    examples = read_examples(class_folders({"set/cat": 1, "set/dog": 1}))
    assert examples.classes == ("cat", "dog")


def test_a_folder_with_one_table_or_tables_of_parts(tmp_path: Path) -> None:
    write(tmp_path / "one" / "set.csv", "text,label\nso,a\nla,b\n")
    assert len(read_examples(tmp_path / "one")) == 2
    for part in ("train", "test"):
        write(tmp_path / "parts" / f"{part}.csv", f"text,label\n{part} so,a\n{part} la,b\n")
    examples = read_examples(tmp_path / "parts")
    assert examples.splits is not None and examples.splits.tolist() == ["train"] * 2 + ["test"] * 2
    assert examples.names[2] == "test.csv row 1"
    write(tmp_path / "parts" / "more.csv", "text,label\nx,a\n")
    with pytest.raises(DataError, match="holds 3 tables"):
        read_examples(tmp_path / "parts")


def test_whole_numbers_are_classes_unless_nearly_every_item_has_its_own(tmp_path: Path) -> None:
    rows = "\n".join(f"word {i},{1900 + i}" for i in range(60))
    with pytest.raises(DataError, match="--task regression"):
        read_examples(write(tmp_path / "a.csv", "text,label\n" + rows))
    rows = "\n".join(f"word {i},{i % 30}" for i in range(90))
    classes = read_examples(write(tmp_path / "b.csv", "text,label\n" + rows)).classes
    assert classes == tuple(str(i) for i in range(30))


def test_without_labels_bare_files_are_fine(class_folders: Callable[..., Path], tmp_path: Path) -> None:
    bare = read_examples(class_folders({".": 3}, "bare"), labels="optional")
    assert len(bare) == 3 and bare.labels is None
    one = read_examples(tmp_path / "bare" / "000.png", labels="optional")
    assert one.modality == "image" and len(one) == 1
    lines = read_examples(write(tmp_path / "a.txt", "so\n\nla\n"), labels="optional")
    assert list(lines.items) == ["so", "la"]
    table = read_examples(write(tmp_path / "b.csv", "text\nso\nla\n"), labels="optional")
    assert list(table.items) == ["so", "la"] and table.labels is None
    parts = read_examples(write(tmp_path / "c.csv", "text,split\nso,test\nla,test\n"), labels="optional")
    assert parts.splits is None


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_examples(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="is not a table"):
        read_examples(write(tmp_path / "a.docx", "x"))


@pytest.mark.real
def test_real_sets_read_as_described(shared: Path) -> None:
    expected = {
        "chest_xray": ("image", 1200, 2, {"train": 800, "test": 400}),
        "hymenoptera": ("image", 397, 2, {"train": 244, "test": 153}),
        "pneumoniamnist": ("image", 3166, 2, {"train": 2428, "validation": 270, "test": 468}),
        "sst2": ("text", 9613, 2, {"train": 6920, "validation": 872, "test": 1821}),
        "trec": ("text", 5952, 6, {"train": 5452, "test": 500}),
        "fsdd": ("audio", 3000, 10, {"train": 2700, "test": 300}),
        "emodb": ("audio", 535, 7, None),
    }
    for name, (modality, n_items, n_classes, parts) in expected.items():
        examples = read_examples(shared / "data" / name)
        assert (examples.modality, len(examples), len(examples.classes)) == (modality, n_items, n_classes)
        counts = None
        if examples.splits is not None:
            counts = {part: int((examples.splits == part).sum()) for part in parts or {}}
        assert counts == parts
    speakers = read_examples(shared / "data" / "emodb", target="speaker", group="sentence")
    assert "03" in speakers.classes and speakers.group == "sentence"


def test_options_that_need_columns(class_folders: Callable[..., Path], tmp_path: Path) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    with pytest.raises(DataError, match=r"no column 'speaker' \(--target\)"):
        read_examples(folder, target="speaker")
    with pytest.raises(DataError, match="--group"):
        read_examples(folder, group="patient")
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 4, 4), np.uint8), labels=np.arange(2))
    with pytest.raises(DataError, match="--group"):
        read_examples(tmp_path / "a.npz", group="patient")


def test_a_readme_beside_a_wrapping_folder(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"set/cat": 1, "set/dog": 1})
    write(folder / "README.md", "x")
    assert read_examples(folder).classes == ("cat", "dog")


def test_a_class_with_one_item_is_read_split_and_told(class_folders: Callable[..., Path]) -> None:
    examples = with_splits(read_examples(class_folders({"cat": 10, "dog": 1})))
    assert examples.splits is not None and examples.splits[-1] == "train"
    findings = check(examples, scan(examples.items, "image", threads=1))
    assert any(finding.kind == "few_items" and "dog (1)" in finding.message for finding in findings)
    assert len(set(fold_indices(examples.labels, None))) == 5  # type: ignore[arg-type]


def test_a_column_of_domains(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", "text,label,domain,site\nso,a,books,x\nla,b,films,y\n")
    examples = read_examples(table)
    assert examples.domain == "domain" and examples.domains is not None
    assert examples.domains.tolist() == ["books", "films"] and "domain" not in examples.columns
    named = read_examples(table, domain="Site")
    assert named.domain == "site" and named.columns["domain"].tolist() == ["books", "films"]
    assert read_examples(table, group="domain").domains is None
    assert read_examples(table, target="domain").domains is None
    with pytest.raises(DataError, match=r"no column 'sites' \(--domain\)\. Did you mean 'site'"):
        read_examples(table, domain="sites")
    with pytest.raises(DataError, match="both target and domain"):
        read_examples(table, domain="label")
    long = "a rather long piece of text"
    table = write(tmp_path / "b.csv", f"what,label,title\n{long} 1,a,books\n{long} 2,b,films\n")
    assert list(read_examples(table, domain="title").items) == [f"{long} 1", f"{long} 2"]


def test_a_note_counts_the_items_of_each_domain(tmp_path: Path) -> None:
    rows = "".join(f"word {i},{'ab'[i % 2]},{'books' if i < 7 else 'films'}\n" for i in range(10))
    examples = read_examples(write(tmp_path / "a.csv", "text,label,domain\n" + rows))
    found = check(examples, scan(examples.items, "text", threads=1))
    notes = [finding.message for finding in found if finding.kind == "domains"]
    assert notes == ["Items per domain in 'domain': books 7, films 3."]


def test_labels_as_written_are_not_interpreted(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", "text,label\nso,a;b\nla,\nfa,b\n")
    examples = read_examples(table, labels="as written")
    assert examples.labels is not None and examples.labels.tolist() == ["a;b", "", "b"]
    assert examples.labelled.tolist() == [True, False, True]
