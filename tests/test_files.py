"""Files that are whole or absent."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from headstart.errors import DiskFullError, HeadstartError, InputError, SourceError
from headstart.files import (
    append_jsonl,
    atomic_path,
    did_you_mean_beside,
    is_disk_full,
    open_regular,
    plain,
    put_in_place,
    read_json,
    read_jsonl,
    write_json,
    write_text,
)
from headstart.runs import RunDirectory


def test_a_block_that_fails_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "first")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full(descriptor: int) -> None:
        raise OSError(number, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match=r"the disk is full, .*a\.txt cannot be written"):
        write_text(tmp_path / "a.txt", "x")
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"cannot write .*nowhere.*No such file"):
        write_text(tmp_path / "nowhere" / "a.txt", "x")
    assert not is_disk_full(OSError(errno.EACCES, "no"))


def test_the_earlier_file_may_be_kept_under_another_name(tmp_path: Path) -> None:
    last, previous = tmp_path / "last", tmp_path / "previous"
    for content in ("1", "2", "3"):
        (tmp_path / "new").write_text(content)
        put_in_place(tmp_path / "new", last, previous)
    assert (last.read_text(), previous.read_text()) == ("3", "2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last", "previous"]


def test_where_the_flush_fails_nothing_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last, previous = tmp_path / "last", tmp_path / "previous"
    last.write_text("1")
    (tmp_path / "new").write_text("2")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        put_in_place(tmp_path / "new", last, previous)
    assert last.read_text() == "1" and not previous.exists()


def test_json(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": float("nan"), "b": (1, Path("x"))})
    assert read_json(tmp_path / "a.json") == {"a": None, "b": [1, "x"]}
    assert plain({1: {2}}) == {"1": [2]}
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"a\.json cannot be read as JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(
        InputError, match=r"b\.json cannot be read as JSON \(No such file or directory\): make"
    ):
        read_json(tmp_path / "b.json")
    with pytest.raises(SourceError, match=r"a\.json cannot be read as JSON .*: fetch it again"):
        read_json(tmp_path / "a.json", "fetch it again", SourceError)
    (tmp_path / "c.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match=r"c\.json cannot be read as JSON"):
        read_json(tmp_path / "c.json")


def test_names_nearby_are_suggested_where_the_folder_can_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    assert did_you_mean_beside(tmp_path / "photo") == " Did you mean 'photos'?"
    assert did_you_mean_beside(tmp_path / "none" / "photo") == ""
    (tmp_path / "file").write_text("")
    assert did_you_mean_beside(tmp_path / "file" / "photo") == ""
    monkeypatch.chdir(tmp_path)
    assert did_you_mean_beside(Path("photo")) == " Did you mean 'photos'?"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_suggests_nothing(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    tmp_path.chmod(0o100)
    try:
        assert did_you_mean_beside(tmp_path / "photo") == ""
        with pytest.raises(InputError, match="there is no run at"):
            RunDirectory.open(tmp_path / "photo")
    finally:
        tmp_path.chmod(0o700)


def test_a_half_written_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    append_jsonl(path, {"n": 1})
    with path.open("a") as file:
        file.write('{"n": ')
    assert read_jsonl(path) == [{"n": 1}]
    append_jsonl(path, {"n": 2})
    assert read_jsonl(path) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("name", ["a.txt", "a[1] *.txt", "x" * 250 + ".txt"])
def test_what_a_killed_process_left_is_removed_and_what_is_being_written_stays(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    with atomic_path(path) as alive:
        alive.write_text("first")
        dead = alive.with_name(alive.name.replace(".tmp", "0.tmp"))
        dead.write_text("half")
        write_text(path, "second")
        assert alive.exists() and not dead.exists()
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b'{"n": 1}\n{"n": \n', b'{"n": "\xff"}\n', b"[" * 100_000 + b"\n"])
def test_damaged_lines_are_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jsonl cannot be read as lines of JSON"):
        read_jsonl(tmp_path / "a.jsonl")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "pipe", "a named pipe"),
        (Path("/dev/zero"), "a device"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(OSError, match=f"it is {words}, not a file"):
            open_regular(path)
