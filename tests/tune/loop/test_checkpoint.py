"""Checkpoints: whole or absent, two deep."""

from __future__ import annotations

import errno
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
import torch

from headstart.errors import DiskFullError, OptionError, StoreError
from headstart.tune.loop.checkpoint import Checkpoints


def state(value: int) -> dict[str, object]:
    return {"value": value, "tensor": torch.full((3,), float(value)), "rows": [{"epoch": value}]}


def test_the_newest_and_the_one_before_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c")
    assert checkpoints.candidates() == []
    for value in range(3):
        checkpoints.save_last(state(value))
    assert [found["value"] for found in checkpoints.candidates()] == [2, 1]
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["last.ckpt", "previous.ckpt"]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_file_cut_short_is_said_and_passed_over(
    tmp_path: Path, share: float, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_last(state(0))
    checkpoints.save_last(state(1))
    content = checkpoints.last.read_bytes()
    checkpoints.last.write_bytes(content[: int(share * len(content))])
    assert [found["value"] for found in checkpoints.candidates()] == [0]
    assert "last.ckpt is damaged; the one before it is used" in capsys.readouterr().err


def test_of_two_damaged_files_no_one_is_said_to_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_last(state(0))
    checkpoints.last.write_bytes(b"")
    assert checkpoints.candidates() == []
    said = capsys.readouterr().err
    assert "last.ckpt is damaged" in said and "is used" not in said


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_best(state(4))
    found = checkpoints.read_best()
    assert found is not None and torch.equal(found["tensor"], torch.full((3,), 4.0))
    content = bytearray(checkpoints.best.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoints.best.write_bytes(content)
    assert checkpoints.read_best() is None


@pytest.mark.parametrize("content", [[1], 5, None, "code"])
def test_a_checkpoint_runs_no_code_and_holds_a_state(tmp_path: Path, content: Any) -> None:
    class Code:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "it_ran",)

    payload = io.BytesIO()
    torch.save(Code() if content == "code" else content, payload)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.last.write_bytes(payload.getvalue() + hashlib.sha256(payload.getvalue()).digest())
    with pytest.raises(OptionError, match=r"last.ckpt cannot be read as a checkpoint .*start the run again"):
        list(checkpoints.candidates())
    assert not (tmp_path / "it_ran").exists()


def test_a_kill_between_the_two_renames_leaves_the_one_before(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_last(state(0))
    checkpoints.last.rename(checkpoints.previous)
    assert [found["value"] for found in checkpoints.candidates()] == [0]


def test_a_full_disk_is_one_clear_error_and_leaves_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    checkpoints = Checkpoints(tmp_path)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFullError, match=r"a checkpoint of .* does not fit"):
        checkpoints.save_last(state(0))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_a_part_of_a_checkpoint(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="this system has no limit of file sizes")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:  # torch ends with an error of its own about the archive
        with pytest.raises(DiskFullError, match="a checkpoint of 2 MB does not fit"):
            Checkpoints(tmp_path).save_last({"tensor": torch.zeros(400_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_that_fills_up_on_the_way(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_last(state(0))
    (tmp_path / "last.ckpt.part").symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match="a checkpoint of 2 MB does not fit"):
        checkpoints.save_last({"weights": {"tensor": torch.zeros(500_000)}})
    assert [found["value"] for found in checkpoints.candidates()] == [0]
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write a checkpoint"):
        Checkpoints(tmp_path / "file").save_last(state(0))


def test_remove_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c")
    checkpoints.save_last(state(0))
    (tmp_path / "c" / "last.ckpt.part").write_bytes(b"")
    (tmp_path / "c" / "other.txt").write_text("")
    checkpoints.remove()
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["other.txt"]
    (tmp_path / "c" / "other.txt").unlink()
    checkpoints.remove()
    assert not (tmp_path / "c").exists()


def test_a_full_disk_is_found_behind_errors_of_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As releases of torch raise it: the system's error, one of the writer, and one of closing the archive."""

    def save(state: object, file: object) -> None:
        try:
            try:
                raise OSError(errno.ENOSPC, "No space left on device")
            except OSError:
                raise RuntimeError(
                    "PytorchStreamWriter failed writing file data/0: file write failed"
                ) from None
        except RuntimeError:
            raise RuntimeError("[enforce fail at inline_container.cc:603] . unexpected pos 64 vs 10")  # noqa: B904

    monkeypatch.setattr("torch.save", save)
    with pytest.raises(DiskFullError, match="does not fit"):
        Checkpoints(tmp_path).save_last(state(0))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_cannot_be_read_is_a_damaged_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "last.ckpt").mkdir()
    assert Checkpoints(tmp_path).candidates() == []
    assert "last.ckpt is damaged" in capsys.readouterr().err
