"""Class folders, with parts or domains above them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.data.dataset import DataSet
from headstart.data.read import read_examples
from headstart.data.splits import with_splits
from headstart.errors import DataError
from small_data import write


def test_class_folders_without_parts(class_folders: Callable[..., Path]) -> None:
    examples = read_examples(class_folders({"cat": 2, "dog": 3}))
    assert examples.modality == "image"
    assert examples.classes == ("cat", "dog")
    assert examples.labels is not None and examples.labels.tolist() == ["cat"] * 2 + ["dog"] * 3
    assert examples.splits is None
    assert examples.names[0] == "cat/000.png"


@pytest.mark.parametrize("part", ["val", "valid", "validation", "dev", "test", "VAL"])
def test_one_part_beside_train_is_the_test_part(class_folders: Callable[..., Path], part: str) -> None:
    counts = {"train/cat": 2, "train/dog": 2, f"{part}/cat": 1, f"{part}/dog": 1}
    examples = read_examples(class_folders(counts))
    assert examples.splits is not None
    assert sorted(set(examples.splits)) == ["test", "train"]
    assert (examples.splits == "test").sum() == 2
    assert "folders" in examples.split_origin


def test_with_test_given_the_other_part_is_validation(class_folders: Callable[..., Path]) -> None:
    counts = {f"{part}/{name}": 1 for part in ("train", "dev", "test") for name in ("cat", "dog")}
    examples = read_examples(class_folders(counts))
    assert examples.splits is not None
    assert sorted(set(examples.splits)) == ["test", "train", "validation"]


@pytest.fixture
def pacs(class_folders: Callable[..., Path]) -> Path:
    """Class folders inside folders of domains."""
    return class_folders({f"{domain}/{name}": 2 for domain in ("photo", "sketch") for name in ("cat", "dog")})


def test_two_levels_of_folders_are_domains_and_classes(pacs: Path) -> None:
    with pytest.raises(DataError, match=r"--domain domain.*--group domain.*--target domain"):
        read_examples(pacs)
    examples = read_examples(pacs, domain="domain")
    assert examples.classes == ("cat", "dog")
    assert examples.domain == "domain"
    assert examples.domains is not None and examples.labels is not None
    assert [name.split("/")[:2] for name in examples.names] == [
        [domain, label] for domain, label in zip(examples.domains, examples.labels)
    ]
    assert "domains photo, sketch; classes cat, dog" in examples.notes[0]
    assert examples.groups is None and examples.splits is None
    one = examples.take([0, 7])
    assert one.domains is not None and one.domains.tolist() == ["photo", "sketch"]
    assert read_examples(pacs / "photo").domains is None


def test_upper_folders_can_be_groups_or_the_target(pacs: Path) -> None:
    by_patient = read_examples(pacs, group="domain")
    assert by_patient.group == "domain" and by_patient.domains is None and by_patient.domain is None
    assert by_patient.groups is not None and by_patient.groups.tolist() == ["photo"] * 4 + ["sketch"] * 4
    assert by_patient.notes == ("Folders are read as DOMAIN/CLASS: domains photo, sketch; classes cat, dog.",)
    split = with_splits(by_patient)
    assert len(set(zip(by_patient.groups, split.splits))) == 2  # type: ignore[arg-type]
    both = read_examples(pacs, group="domain", domain="domain")
    assert both.groups is not None and both.domains is not None
    styles = read_examples(pacs, target="domain")
    assert styles.classes == ("photo", "sketch") and styles.domains is None
    with pytest.raises(DataError, match=r"no column 'style' \(--domain\).*Columns: label, domain"):
        read_examples(pacs, domain="style")
    with pytest.raises(DataError, match="both target and group"):
        read_examples(pacs, group="label")


def test_domains_below_parts(class_folders: Callable[..., Path]) -> None:
    counts = {
        f"{part}/{domain}/{name}": 1
        for part in ("train", "test")
        for domain in ("photo", "sketch")
        for name in ("cat", "dog")
    }
    examples = read_examples(class_folders(counts), domain="domain")
    assert examples.splits is not None and examples.domains is not None and examples.labels is not None
    assert set(zip(examples.splits, examples.domains, examples.labels)) == {
        (part, domain, name)
        for part in ("train", "test")
        for domain in ("photo", "sketch")
        for name in ("cat", "dog")
    }


def test_parts_below_classes_are_refused(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({f"{name}/{part}": 1 for part in ("train", "test") for name in ("cat", "dog")})
    with pytest.raises(DataError, match=r"test, train inside each of cat, dog.*train/CLASS/file"):
        read_examples(folder)


def test_files_in_no_class_folder_have_no_label(class_folders: Callable[..., Path]) -> None:
    examples = read_examples(class_folders({"cat": 2, "dog": 2, ".": 3}), labels="optional")
    assert examples.classes == ("cat", "dog") and examples.labelled.sum() == 4
    assert all("/" in name for name in examples.names[examples.labelled])


def test_deeper_folders_of_one_name_are_fine(class_folders: Callable[..., Path]) -> None:
    examples = read_examples(class_folders({"cat/images": 2, "dog/images": 2}))
    assert examples.classes == ("cat", "dog")


def test_one_class_empty_folder_loose_files(class_folders: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="At least two classes"):
        read_examples(class_folders({"cat": 2}, "one"))
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="is empty: give one folder for each class"):
        read_examples(tmp_path / "none")
    with pytest.raises(DataError, match=r"is empty: give items \(class folders are not needed\)"):
        read_examples(tmp_path / "none", labels="optional")
    folder = class_folders({"cat": 1, "dog": 1, ".": 1}, "loose")
    with pytest.raises(DataError, match="in no class folder"):
        read_examples(folder)
    write(tmp_path / "odd" / "a" / "x.docx", "no")
    with pytest.raises(DataError, match=r"holds no images.*docx"):
        read_examples(tmp_path / "odd")


def test_hidden_and_other_files_are_left_out_and_said(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    write(folder / "cat" / ".DS_Store", "x")
    write(folder / "cat" / "Thumbs.db", "x")
    examples = read_examples(folder)
    assert len(examples) == 2
    assert "1 file of other kinds" in examples.notes[0]


def test_texts_in_class_folders(tmp_path: Path) -> None:
    for name, text in (("pos/1.txt", "so good"), ("neg/1.txt", "so bad"), ("neg/2.txt", "worse")):
        write(tmp_path / "reviews" / "train" / name, text)
    examples = read_examples(tmp_path / "reviews")
    assert examples.modality == "text"
    assert sorted(map(str, examples.items)) == ["so bad", "so good", "worse"]
    assert examples.classes == ("neg", "pos")


def test_mixed_modalities_are_asked_about(
    class_folders: Callable[..., Path], recording: Callable[..., Path]
) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    for index in range(2):
        recording(f"pictures/cat/{index}.wav")
    with pytest.raises(DataError, match="--modality"):
        read_examples(folder)
    assert read_examples(folder, modality="image").modality == "image"


def test_linked_folders_are_followed_once(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 2, "dog": 2})
    (folder / "dog" / "loop").symlink_to(folder, target_is_directory=True)
    examples = read_examples(folder)
    assert len(examples) == 4
    assert "dog/loop, a link to a folder above it" in examples.notes[0]


def test_names_that_are_no_utf8_can_be_printed(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    odd = os.fsencode(folder / "cat") + b"/\xe9.png"
    os.rename(folder / "cat" / "000.png", odd)
    examples = read_examples(folder)
    assert examples.names[0].encode() and len(examples) == 2
    assert os.fsencode(examples.items[0]) == odd  # type: ignore[arg-type]


@pytest.mark.real
def test_pacs_is_read_with_its_domains(shared: Path) -> None:
    examples = read_examples(shared / "data" / "pacs", domain="domain")
    assert examples.domains is not None
    assert sorted(set(examples.domains)) == ["art_painting", "cartoon", "photo", "sketch"]
    assert len(examples.classes) == 7


def test_a_class_folder_that_links_to_another_is_named(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"b": 2, "c": 2})
    (folder / "a").symlink_to(folder / "b", target_is_directory=True)
    with pytest.raises(DataError, match=r"'a' and 'b' are one folder.*Remove the link"):
        read_examples(folder)


def test_class_folders_whose_names_are_not_utf8_stay_apart(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"x": 2, "y": 2, "z": 2})
    for name, odd in (("x", b"caf\xe9"), ("y", b"caf\xe8")):
        os.rename(folder / name, os.fsencode(folder) + b"/" + odd)
    examples = read_examples(folder)
    assert examples.classes == (r"caf\xe8", r"caf\xe9", "z")
    assert r"4 files whose path is not UTF-8, such as caf\xe8/000.png" in examples.notes[0]
    (folder / r"caf\xe9").mkdir()
    write(folder / r"caf\xe9" / "000.png", "")
    with pytest.raises(DataError, match=r"two files would be called caf.xe9/000\.png"):
        read_examples(folder)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read every folder"
)
def test_a_class_folder_without_permission_is_named(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"a": 2, "b": 2, "c": 2})
    (folder / "b").chmod(0)
    with pytest.raises(DataError, match="b cannot be read as a folder"):
        read_examples(folder)
    (folder / "b").chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_among_the_items_is_an_unreadable_item(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"a": 15, "b": 15})
    os.mkfifo(folder / "a" / "pipe.png")
    data = DataSet.read(folder, threads=1)
    assert len(data) == 30
    assert "a/pipe.png (cannot be read: it is a named pipe, not a file)" in data.findings[0].message


def test_links_out_of_the_folder_are_followed_only_if_asked_for(
    class_folders: Callable[..., Path], tmp_path: Path
) -> None:
    folder = class_folders({"a": 2, "b": 2})
    elsewhere = class_folders({"c": 2}, root="elsewhere")
    (folder / "c").symlink_to(elsewhere / "c", target_is_directory=True)
    with pytest.raises(DataError, match=r"pictures/c is a link that leads out of .*--follow-outside"):
        read_examples(folder)
    assert read_examples(folder, follow_outside=True).classes == ("a", "b", "c")
    (folder / "c").unlink()
    (folder / "a" / "x.png").symlink_to(elsewhere / "c" / "000.png")
    with pytest.raises(DataError, match=r"a/x\.png is a link that leads out"):
        read_examples(folder)
    (folder / "a" / "x.png").rename(folder / "a" / "README")  # not an item
    (folder / "b" / "y.png").symlink_to(folder / "a" / "000.png")
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    assert len(read_examples(tmp_path / "link")) == 5


def test_links_to_themselves_or_to_nothing_do_no_harm(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"a": 2, "b": 2})
    (folder / "a" / "self").symlink_to(folder / "a" / "self")
    (folder / "b" / "none").symlink_to(folder / "none")
    assert len(read_examples(folder)) == 4


@pytest.mark.parametrize("part", ["", "train/"])
def test_class_folders_without_items_are_named(class_folders: Callable[..., Path], part: str) -> None:
    counts = {f"{part}a": 2, f"{part}b": 2} | ({"test/a": 1, "test/b": 1} if part else {})
    folder = class_folders(counts)
    (folder / part / "empty").mkdir()
    write(folder / part / "phone" / "0.heic", "")
    examples = read_examples(folder)
    assert examples.classes == ("a", "b")
    assert examples.notes[-1] == "No images in the folders empty, phone: not learned as a class."


@pytest.mark.parametrize("repository", ["datasets--owner--name", "pictures"])
def test_links_of_a_hugging_face_snapshot_lead_to_its_blobs(
    class_folders: Callable[..., Path], tmp_path: Path, repository: str
) -> None:
    """The hub's cache holds each file once, under `blobs`; only in such a repository are these links followed."""
    blobs = class_folders({"a": 2, "b": 2}, root=f"{repository}/blobs")
    snapshot = tmp_path / repository / "snapshots" / "1a2b"
    rows = "file,label\n"
    for path in sorted(blobs.rglob("*.png")):
        link = snapshot / path.relative_to(blobs)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(path, link.parent))
        rows += f"{link.relative_to(snapshot)},{link.parent.name}\n"
    table = write(snapshot / "labels.csv", rows)
    for data in (snapshot, table):
        if repository == "pictures":
            with pytest.raises(DataError, match="--follow-outside"):
                read_examples(data)
        else:
            assert read_examples(data).classes == ("a", "b")
