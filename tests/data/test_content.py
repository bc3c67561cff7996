"""Bytes of items: regular files alone, and with the digest of what was read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headstart.data import content
from headstart.data.content import Unreadable, content_digest, digest_of, open_bytes, read_bytes


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_or_a_device_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(Unreadable, match="is a named pipe, not a file"):
        read_bytes(tmp_path / "pipe.png")
    with pytest.raises(Unreadable, match="is a device, not a file"):
        open_bytes(Path("/dev/zero"))


def test_paths_that_no_file_can_have_are_unreadable(tmp_path: Path) -> None:
    for name, problem in (("none.png", "No such file"), ("x" * 300, "too long"), ("a\0b", "null")):
        with pytest.raises(Unreadable, match=problem):
            read_bytes(tmp_path / name)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read every file"
)
def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "a").chmod(0)
    with pytest.raises(Unreadable, match="Permission denied"):
        read_bytes(tmp_path / "a")


@pytest.mark.parametrize("whole_bytes", [2**26, 2])
def test_the_digest_is_that_of_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_bytes: int
) -> None:
    monkeypatch.setattr(content, "WHOLE_BYTES", whole_bytes)
    (tmp_path / "a").write_bytes(b"some bytes")
    digest = content_digest(b"some bytes")
    with open_bytes(tmp_path / "a") as file:
        assert digest_of(file) == digest and file.read() == b"some bytes"
    assert read_bytes(tmp_path / "a", digest) == b"some bytes"
    with pytest.raises(Unreadable, match="changed after it was checked"):
        read_bytes(tmp_path / "a", content_digest(b"other bytes"))
