"""Checkpoints that a kill at any moment cannot damage: complete or absent, the last two kept, each with a digest.

A file is the payload of torch.save followed by its SHA-256. It is written under a temporary name, flushed to
the disk and renamed, so every name is a whole file; the digest shows whether a file was damaged.
`last` is the newest state, `previous` the one before it, `best` the best weights so far.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from headstart.errors import DiskFullError, OptionError, StoreError, parsing
from headstart.files import is_disk_full, put_in_place, read_regular
from headstart.progress import say

FORMAT_VERSION = 3
_DIGEST_BYTES = 32


class Checkpoints:
    """The checkpoints of one training in one folder.

    Args:
        folder: made when the first checkpoint is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last = folder / "last.ckpt"
        self.previous = folder / "previous.ckpt"
        self.best = folder / "best.ckpt"

    def save_last(self, state: dict[str, Any]) -> None:
        """Write the newest state; the one before it is kept as `previous`."""
        self._write(self.last, state, self.previous)

    def save_best(self, state: dict[str, Any]) -> None:
        """Write the best weights so far."""
        self._write(self.best, state)

    def candidates(self) -> list[dict[str, Any]]:
        """The whole states to resume from, newest first; a damaged file is reported and left out.

        Raises:
            OptionError: they were written by another version.
        """
        found = []
        there = [path for path in (self.last, self.previous) if path.exists()]
        for path in there:
            state = _read(path)
            if state is None:
                older = "" if path == there[-1] else "; the one before it is used"
                say(f"the checkpoint {path} is damaged{older}")
            else:
                found.append(state)
        return found

    def read_best(self) -> dict[str, Any] | None:
        """The best weights so far, or None if the file is missing or damaged."""
        return _read(self.best) if self.best.exists() else None

    def remove(self) -> None:
        """Delete all checkpoints, and the folder if it is then empty."""
        for path in (self.last, self.previous, self.best, *self.folder.glob("*.ckpt.part")):
            path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _write(self, path: Path, state: dict[str, Any], previous: Path | None = None) -> None:
        temporary = path.with_name(path.name + ".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with _DigestedFile(io.FileIO(temporary, "w")) as file:
                torch.save({"format_version": FORMAT_VERSION, **state}, file)
                file.write(file.digest.digest())
            put_in_place(temporary, path, previous)
        except BaseException as failure:
            with suppress(OSError):
                temporary.unlink()
            error = _of_system(failure)
            if error is None:
                raise
            if is_disk_full(error):
                n_megabytes = sum(leaf.nbytes for leaf in tree_leaves(state) if torch.is_tensor(leaf)) / 1e6
                raise DiskFullError(
                    f"the disk is full, a checkpoint of {n_megabytes:,.0f} MB does not fit in {self.folder}; "
                    "free some space, then resume"
                ) from None
            raise StoreError(f"cannot write a checkpoint in {self.folder}: {error.strerror}") from None


def _of_system(failure: BaseException) -> OSError | None:
    """The error of the system behind a failure: torch's own errors ("unexpected pos") cover it, one or several deep."""
    error: BaseException | None = failure
    while isinstance(error, RuntimeError):
        error = error.__cause__ or error.__context__
    return error if isinstance(error, OSError) else None


class _DigestedFile(io.BufferedWriter):
    """A file that computes the digest while it is written, so that a checkpoint is in memory only once.

    Args:
        raw: open for writing.
    """

    def __init__(self, raw: io.FileIO) -> None:
        super().__init__(raw)
        self.digest = hashlib.sha256()

    def write(self, content: Any, /) -> int:
        self.digest.update(content)
        return super().write(content)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = memoryview(read_regular(path))
    except OSError:
        return None
    payload, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if len(content) <= _DIGEST_BYTES or hashlib.sha256(payload).digest() != digest:
        return None
    with parsing(path, "a checkpoint", "start the run again, without --resume", OptionError):
        state = dict(torch.load(io.BytesIO(payload), weights_only=True, map_location="cpu"))
    if state.get("format_version") != FORMAT_VERSION:
        raise OptionError(
            f"cannot resume from {path}: another version of headstart wrote it. Start the run again, without --resume"
        )
    return state
