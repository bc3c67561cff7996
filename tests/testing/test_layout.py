"""Every layout passes its suite, and the suite fails where a layout is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.data.examples import Examples, string_array
from headstart.data.layouts import LAYOUTS
from headstart.data.place import Place, ReadOptions
from headstart.errors import DataError
from headstart.testing import check_layout
from small_data import write


@dataclass(frozen=True)
class Sample:
    """A small data set: where it lies, the label of each item by name, and the parts if there are some."""

    data: Path
    labels: Mapping[str, str]
    splits: Mapping[str, str] | None = None


def pictures(folder: Path, names: list[str]) -> Path:
    for shade, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), 40 * shade).save(folder / name)
    return folder


def npz(folder: Path) -> list[Sample]:
    shades = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    np.savez(folder / "one.npz", images=shades, labels=np.array([0, 1, 1, 0]))
    parts = {"train_images": shades[:2], "test_images": shades[2:], "train_labels": np.array([0, 1])}
    np.savez(folder / "two.npz", **parts, test_labels=np.array([1, 0]))
    np.savez(folder / "none.npz", images=shades)
    named = {f"train_images[{i}]": str(i) for i in (0, 1)} | {f"test_images[{i}]": str(1 - i) for i in (0, 1)}
    return [
        Sample(folder / "one.npz", {f"images[{i}]": str(label) for i, label in enumerate([0, 1, 1, 0])}),
        Sample(folder / "two.npz", named, {name: name.split("_")[0] for name in named}),
        Sample(folder / "none.npz", {f"images[{i}]": "" for i in range(4)}),
    ]


def tables(folder: Path) -> list[Sample]:
    files = pictures(folder / "beside", ["x.png", "y.png"])
    return [
        Sample(
            write(folder / "a.csv", "text,label,split\nso,a,train\nla,b,test\nti,a,train\n"),
            {"row 1": "a", "row 2": "b", "row 3": "a"},
            {"row 1": "train", "row 2": "test", "row 3": "train"},
        ),
        Sample(write(folder / "b.tsv", "text\tlabel\nso\ta\nla\t\n"), {"row 1": "a", "row 2": ""}),
        Sample(write(folder / "c.jsonl", '{"text": "so"}\n{"text": "la"}\n'), {"row 1": "", "row 2": ""}),
        Sample(write(files / "files.csv", "file,label\nx.png,a\ny.png,b\n"), {"x.png": "a", "y.png": "b"}),
    ]


def listed(folder: Path) -> list[Sample]:
    one = pictures(folder / "one", ["0.png", "deep/1.png"])
    write(one / "metadata.csv", "file,label\n0.png,a\ndeep/1.png,b\n")
    some = pictures(folder / "some", ["0.png", "1.png"])
    write(some / "list.csv", "path,label\n0.png,a\n1.png,\n")
    return [Sample(one, {"0.png": "a", "deep/1.png": "b"}), Sample(some, {"0.png": "a", "1.png": ""})]


def part_tables(folder: Path) -> list[Sample]:
    write(folder / "parts" / "train.csv", "text,label\nso,a\nla,b\n")
    write(folder / "parts" / "test.csv", "text,label\nti,a\n")
    labels = {"train.csv row 1": "a", "train.csv row 2": "b", "test.csv row 1": "a"}
    return [Sample(folder / "parts", labels, {name: name.split(".")[0] for name in labels})]


def folders(folder: Path) -> list[Sample]:
    plain = ["a/0.png", "a/1.png", "b/0.png"]
    parted = ["train/a/0.png", "train/b/0.png", "val/a/0.png", "test/b/0.png"]
    part = {"train": "train", "val": "validation", "test": "test"}
    bare = ["0.png", "1.png"]
    return [
        Sample(pictures(folder / "plain", plain), {name: name[0] for name in plain}),
        Sample(
            pictures(folder / "parted", parted),
            {name: name.split("/")[1] for name in parted},
            {name: part[name.split("/")[0]] for name in parted},
        ),
        Sample(
            pictures(folder / "some", [*plain, *bare]), {**{n: n[0] for n in plain}, "0.png": "", "1.png": ""}
        ),
        Sample(pictures(folder / "bare", bare), dict.fromkeys(bare, "")),
    ]


def saved(folder: Path) -> list[Sample]:
    import datasets

    train = datasets.Dataset.from_dict({"text": ["so", "la"], "label": ["a", "b"]})
    test = datasets.Dataset.from_dict({"text": ["ti"], "label": ["a"]})
    datasets.DatasetDict({"train": train, "test": test}).save_to_disk(str(folder / "saved"))
    train.save_to_disk(str(folder / "alone"))
    labels = {"row 1": "a", "row 2": "b", "row 3": "a"}
    splits = {"row 1": "train", "row 2": "train", "row 3": "test"}
    return [
        Sample(folder / "saved", labels, splits),
        Sample(folder / "alone", {"row 1": "a", "row 2": "b"}),
    ]


def lines(folder: Path) -> list[Sample]:
    picture = pictures(folder, ["alone.png"]) / "alone.png"
    return [
        Sample(write(folder / "lines.txt", "so\nla\n"), {"line 1": "", "line 2": ""}),
        Sample(picture, {"alone.png": ""}),
    ]


SAMPLES: dict[str, Callable[[Path], list[Sample]]] = {
    "hub_datasets": saved,
    "npz": npz,
    "single_table": tables,
    "single_file": lines,
    "metadata_folder": listed,
    "part_tables": part_tables,
    "class_folders": folders,
}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__.rpartition(".")[2])
def test_every_layout_passes(layout: Any, tmp_path: Path) -> None:
    for sample in SAMPLES[layout.__name__.rpartition(".")[2]](tmp_path):
        check_layout(layout, sample.data, sample.labels, splits=sample.splits)


def table_layout(**changes: Any) -> Any:
    """The layout of one table with something changed."""
    parts = {"DESCRIPTION": "a table", "matches": is_tab, "read": read_tab}
    return SimpleNamespace(**{**parts, **changes})


def is_tab(place: Place) -> bool:
    return place.is_file and place.suffix == ".tab"


def read_tab(place: Place, options: ReadOptions) -> Examples:
    for column in (options.target, options.group, options.domain):
        if column not in (None, "label"):
            raise DataError(f"{place.path}: no column {column}")
    rows = [line.split() for line in place.path.read_text().splitlines()]
    texts, labels = [row[0] for row in rows], [row[1] for row in rows]
    names = string_array(f"row {index}" for index in range(len(rows)))
    return Examples("text", texts, names, string_array(labels))


def changed(**fields: Any) -> Callable[[Place, ReadOptions], Examples]:
    return lambda place, options: dataclasses.replace(read_tab(place, options), **fields)


def ignoring_options(place: Place, options: ReadOptions) -> Examples:
    return read_tab(place, ReadOptions())


def in_another_order(place: Place, options: ReadOptions) -> Examples:
    ORDER.append(1)
    return read_tab(place, options).take([0, 1] if len(ORDER) % 2 else [1, 0])


ORDER: list[int] = []
TAB = {"row 0": "a", "row 1": "b"}


def test_a_layout_that_is_not_registered_yet(tmp_path: Path) -> None:
    assert len(check_layout(table_layout(), write(tmp_path / "x.tab", "so a\nla b\n"), TAB)) == 2


@pytest.mark.parametrize(
    "changes, fault",
    [
        ({"DESCRIPTION": "two\nlines"}, "must be one line"),
        ({"matches": lambda place: place.is_file}, "takes arrays.npz, which is .* for 'a table'"),
        ({"matches": lambda place: place.suffix == ".other"}, "is read as"),
        ({"matches": lambda place: place.suffix == ".tab"}, "does not exist"),
        ({"read": changed(labels=string_array(["b", "a"]))}, "the label of 'row 0' is 'b', expected 'a'"),
        ({"read": changed(names=string_array(["row 0", "row 0"]))}, "the same name"),
        ({"read": changed(names=string_array(["row 1", "row 2"]))}, r"not read: \['row 0'\]"),
        ({"read": changed(splits=string_array(["train", "test"]))}, "no split is given"),
        ({"read": changed(modality="image")}, "of modality image is a str"),
        ({"read": ignoring_options}, "--target no_such_column: no error"),
        ({"read": in_another_order}, "order differ"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], fault: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=fault):
        check_layout(table_layout(**changes), write(tmp_path / "x.tab", "so a\nla b\n"), TAB)


def test_missing_labels_must_be_refused_where_they_are_required(tmp_path: Path) -> None:
    data = write(tmp_path / "x.tab", "so a\nla b\n")

    def read(place: Place, options: ReadOptions) -> Examples:
        found = read_tab(place, options)
        return dataclasses.replace(found, labels=string_array(["a", ""]))

    with pytest.raises(AssertionError, match="does not name the data"):
        check_layout(table_layout(read=read), data, {"row 0": "a", "row 1": ""})


def test_a_missing_file_must_be_named(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "set", ["0.png", "1.png"])
    write(folder / "list.txt", "0.png a\n1.png b\n")

    def read(place: Place, options: ReadOptions) -> Examples:
        if options != ReadOptions(labels_required=options.labels_required):
            raise DataError("no_such_column")
        rows = [line.split() for line in (place.path / "list.txt").read_text().splitlines()]
        items = [place.path / name for name, _ in rows]
        return Examples(
            "image", items, string_array(name for name, _ in rows), string_array(label for _, label in rows)
        )

    layout = table_layout(matches=lambda place: (place.path / "list.txt").is_file(), read=read)
    with pytest.raises(AssertionError, match=r"0\.png is missing, but"):
        check_layout(layout, folder, {"0.png": "a", "1.png": "b"})
