"""Locks on folders: what lies in the place of the lock file cannot hold a command for ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headstart.locks import FolderLock


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("kind", ["pipe", "link to nowhere", "link to a file"])
def test_no_pipe_and_no_link_is_taken_as_a_lock(tmp_path: Path, kind: str) -> None:
    lock, outside = tmp_path / "key" / "lock", tmp_path / "outside"
    lock.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(lock)
    else:
        lock.symlink_to(outside if kind == "link to a file" else tmp_path / "no folder" / "file")
    if kind == "link to a file":
        outside.touch()
    with pytest.raises(OSError):
        FolderLock.share(lock.parent)
    assert FolderLock.alone(lock.parent) is None
