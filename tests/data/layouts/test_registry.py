"""The registry of data layouts: which layout reads what, and what each module must hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headstart.data.layouts import (
    LAYOUTS,
    hub_datasets,
    metadata_folder,
    npz,
    part_tables,
    single_file,
    single_table,
)
from headstart.data.layouts import (
    class_folders as folders,
)
from headstart.data.place import Place
from small_data import write

DOCS = Path(__file__).parents[3] / "docs" / "data.md"


@pytest.fixture
def places(class_folders: Callable[..., Path], tmp_path: Path) -> dict[str, Path]:
    """One small data set per layout, by the name of its module."""
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 4, 4), np.uint8), labels=np.arange(2))
    table = write(tmp_path / "a.csv", "text,label\nso,a\nla,b\n")
    listed = class_folders({"cat": 1, "dog": 1}, "listed")
    write(listed / "metadata.csv", "file,label\ncat/000.png,a\ndog/000.png,b\n")
    for part in ("train", "test"):
        write(tmp_path / "parts" / f"{part}.csv", "text,label\nso,a\nla,b\n")
    write(tmp_path / "saved" / "dataset_dict.json", "{}")
    return {
        "hub_datasets": tmp_path / "saved",
        "npz": tmp_path / "a.npz",
        "single_table": table,
        "single_file": write(tmp_path / "a.txt", "so"),
        "metadata_folder": listed,
        "part_tables": tmp_path / "parts",
        "class_folders": class_folders({"cat": 1, "dog": 1}),
    }


def test_the_first_layout_that_matches_is_the_one_meant(places: dict[str, Path]) -> None:
    modules = [hub_datasets, npz, single_table, single_file, metadata_folder, part_tables, folders]
    assert list(LAYOUTS) == modules
    for module in modules:
        place = Place(places[module.__name__.rsplit(".", 1)[1]])
        assert next(layout for layout in LAYOUTS if layout.matches(place)) is module


def test_a_name_that_is_not_here_may_be_a_hub_id(tmp_path: Path) -> None:
    assert hub_datasets.matches(Place("owner/name:configuration"))
    assert not hub_datasets.matches(Place("owner/name.csv"))
    assert not any(layout.matches(Place(tmp_path / "nowhere")) for layout in LAYOUTS)


@pytest.mark.parametrize("inner", ["set.csv", "set/cat"])
def test_what_lies_in_a_wrapping_folder_is_left_to_the_inner_place(
    tmp_path: Path, class_folders: Callable[..., Path], inner: str
) -> None:
    if inner == "set.csv":
        folder = write(tmp_path / "one" / inner, "text,label\nso,a\nla,b\n").parent
    else:
        folder = class_folders({"set/cat": 1, "set/dog": 1}, "one")
    place = Place(folder)
    assert not any(layout.matches(place) for layout in LAYOUTS)
    assert place.inside == folder / inner.split("/")[0]


def test_each_layout_is_in_the_docs() -> None:
    table = DOCS.read_text(encoding="utf-8")
    for layout in LAYOUTS:
        assert f"| {layout.DESCRIPTION} |" in table
