"""Folders with a table of their files."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from headstart.data.read import read_examples
from headstart.errors import DataError
from small_data import write


def test_parts_without_train_are_refused(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"train/cat": 1, "train/dog": 1})
    (folder / "train").rename(folder / "test")
    write(folder / "metadata.csv", "file,label,split\ntest/cat/000.png,a,test\ntest/dog/000.png,b,test\n")
    with pytest.raises(DataError, match="no train part"):
        read_examples(folder)


def test_metadata_columns_win_over_folders(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"train/cat": 2, "train/dog": 2})
    rows = [f"train/{name}/00{i}.png,{i},0{i},train" for name in ("cat", "dog") for i in (0, 1)]
    rows[-1] = rows[-1].replace(",train", ",test")
    write(folder / "metadata.csv", "file_name,label,speaker,split\n" + "\n".join(rows) + "\n")
    examples = read_examples(folder)
    assert examples.classes == ("0", "1")
    assert examples.group == "speaker"
    assert examples.groups is not None and examples.groups.tolist() == ["00", "01", "00", "01"]
    assert examples.splits is not None and examples.splits.tolist() == ["train"] * 3 + ["test"]
    by_speaker = read_examples(folder, target="speaker")
    assert by_speaker.classes == ("00", "01")
    assert by_speaker.group is None
    assert by_speaker.columns["label"].tolist() == ["0", "1", "0", "1"]


def test_metadata_without_labels_takes_folder_names(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    write(folder / "metadata.csv", "image,patient\ncat/000.png,p1\ndog/000.png,p2\n")
    examples = read_examples(folder)
    assert examples.classes == ("cat", "dog")
    assert examples.group == "patient"


def test_metadata_faults_are_named(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    write(folder / "metadata.csv", "file,label\ncat/000.png,a\ncow/9.png,b\n")
    with pytest.raises(DataError, match=r"1 of 2 files are not there \(row 2 'cow/9.png'\)"):
        read_examples(folder)
    write(folder / "metadata.csv", "picture,label\ncat/000.png,a\n")
    with pytest.raises(DataError, match="no column of paths"):
        read_examples(folder)
    write(folder / "metadata.csv", "file,label\ncat/000.png,a\ndog/000.png,b\n")
    with pytest.raises(
        DataError, match=r"no column 'lable' \(--target\)\. Did you mean 'label'\?.*file, label"
    ):
        read_examples(folder, target="lable")
    with pytest.raises(DataError, match="both target and group"):
        read_examples(folder, target="label", group="label")


def test_metadata_of_mixed_files_takes_the_modality_asked_for(
    class_folders: Callable[..., Path], recording: Callable[..., Path]
) -> None:
    folder = class_folders({"cat": 2})
    recording("pictures/cat/a.wav")
    recording("pictures/cat/b.wav")
    rows = "file,label\ncat/000.png,a\ncat/a.wav,a\ncat/001.png,b\ncat/b.wav,b\n"
    write(folder / "metadata.csv", rows)
    sounds = read_examples(folder, modality="audio")
    assert sounds.names.tolist() == ["cat/a.wav", "cat/b.wav"]
    assert sounds.labels is not None and sounds.labels.tolist() == ["a", "b"]


def test_metadata_of_text_files(tmp_path: Path) -> None:
    write(tmp_path / "one.txt", "so it goes")
    write(tmp_path / "two.txt", "la la")
    write(tmp_path / "metadata.csv", "file,label\none.txt,a\ntwo.txt,b\n")
    examples = read_examples(tmp_path)
    assert examples.modality == "text" and list(examples.items) == ["so it goes", "la la"]


def test_metadata_in_each_part(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"train/.": 2, "test/.": 2})
    for part in ("train", "test"):
        write(folder / part / "metadata.csv", "file_name,label\n000.png,a\n001.png,b\n")
    examples = read_examples(folder)
    assert examples.names.tolist() == ["test/000.png", "test/001.png", "train/000.png", "train/001.png"]
    assert examples.splits is not None and examples.splits.tolist() == ["test", "test", "train", "train"]
    assert examples.labels is not None and examples.labels.tolist() == ["a", "b", "a", "b"]


def test_a_table_of_paths_beside_the_files(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"files": 2})
    write(folder / "labels.csv", "path,label\nfiles/000.png,a\nfiles/001.png,b\n")
    examples = read_examples(folder)
    assert examples.classes == ("a", "b")
    assert any("labels.csv" in note for note in examples.notes)


@pytest.mark.parametrize("how", ["..", "absolute", "link"])
def test_a_table_names_files_outside_of_its_folder_only_if_asked_for(
    class_folders: Callable[..., Path], tmp_path: Path, how: str
) -> None:
    outside = class_folders({"a": 2}, root="outside")
    folder = class_folders({"b": 2}, root="inside")
    path = "../outside/a/{}.png" if how == ".." else str(outside / "a" / "{}.png")
    if how == "link":
        path = "b/l{}.png"
        for name in ("000", "001"):
            (folder / "b" / f"l{name}.png").symlink_to(outside / "a" / f"{name}.png")
    rows = "".join(f"{path.format(name)},{name}\n" for name in ("000", "001"))
    table = write(folder / "table.csv", f"file,label\n{rows}b/000.png,000\n")
    with pytest.raises(DataError, match=r"2 of 3 files lie outside of .*row 1 .*--follow-outside"):
        read_examples(table)
    assert len(read_examples(table, follow_outside=True)) == 3


def test_paths_that_stay_inside_may_be_written_in_any_way(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"a": 2, "b": 1})
    (folder / "b" / "link.png").symlink_to(folder / "a" / "000.png")
    rows = f"b/../a/000.png,x\n{folder}/a/001.png,y\nb/link.png,x\n"
    assert len(read_examples(write(folder / "table.csv", "file,label\n" + rows))) == 3


@pytest.mark.parametrize(
    "value", ["x" * 300, "x" * 300 + ".png", "y" * 5000 + "/a.png", "a\0b/0.png", "a/\0.png"]
)
def test_paths_that_no_file_can_have_are_missing_files(
    class_folders: Callable[..., Path], value: str
) -> None:
    folder = class_folders({"a": 2})
    rows = [{"file": "a/000.png", "label": "x"}, {"file": value, "label": "y"}]
    write(folder / "table.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=r"1 of 2 files are not there \(row 2"):
        read_examples(folder / "table.jsonl")
    write(folder / "table.jsonl", "".join(json.dumps(row) + "\n" for row in reversed(rows)))
    with suppress(DataError):  # or it is taken as a text, but no other error
        read_examples(folder / "table.jsonl")
