"""The arrays of an npz: its checksums are verified once, then pictures are read row by row when they are used.

A memory map of a file that another program cuts short ends the process; here it is an error. So is any other change:
every row has the checksum that it had when the archive was verified.
"""

from __future__ import annotations

import math
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from headstart.data.content import Unreadable, open_file
from headstart.errors import DataError, DiskFullError, parsing
from headstart.files import is_disk_full

_BLOCK_BYTES = 2**20


class _Shared:
    """A file that several threads read, closed with the last array that needs it.

    Args:
        file: open.
        path: of the npz, for messages.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.path = path
        self._file, self._lock = file, threading.Lock()

    def __del__(self) -> None:
        self._file.close()

    def read(self, start: int, n_bytes: int) -> bytes:
        """Bytes from a position.

        Raises:
            Unreadable: the file ends before.
        """
        with self._lock:
            self._file.seek(start)
            data = self._file.read(n_bytes)
        if len(data) < n_bytes:
            raise self.changed()
        return data

    def changed(self) -> Unreadable:
        """The error for content that is not what was verified."""
        return Unreadable(
            f"{self.path} changed while it was used: run the command again when nothing writes to it"
        )


@dataclass(frozen=True, eq=False)
class StoredArray:
    """An array that stays on the disk; a sequence of its rows if it has three axes or more in C order.

    Attributes:
        file: that holds it.
        start: position of the array in it.
        shape: of the array, N rows.
        dtype: of the array.
        fortran: whether it is stored in Fortran order.
        checksums: (N,) CRC-32 of each row; None: rows cannot be read one by one.
        then: applied to each row.
    """

    file: _Shared
    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    checksums: np.ndarray | None
    then: Callable[[np.ndarray], np.ndarray] = lambda row: row

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        assert self.checksums is not None
        row = int(index)
        n_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        data = self.file.read(self.start + row * n_bytes, n_bytes)
        if zlib.crc32(data) != self.checksums[row]:
            raise self.file.changed()
        return self.then(np.frombuffer(data, dtype=self.dtype).reshape(self.shape[1:]))

    def whole(self) -> np.ndarray:
        """The array in memory."""
        n_bytes = math.prod(self.shape) * self.dtype.itemsize
        flat = np.frombuffer(self.file.read(self.start, n_bytes), dtype=self.dtype)
        return flat.reshape(self.shape[::-1]).T if self.fortran else flat.reshape(self.shape)


def open_npz(path: Path) -> dict[str, StoredArray]:
    """Verify the arrays of an npz; a compressed one goes into an unnamed temporary file.

    Raises:
        DataError: the file is damaged or encrypted, or holds pickled objects (which could run code).
        DiskFullError: there is no room for the temporary file.
    """
    arrays: dict[str, StoredArray] = {}
    with (
        parsing(path, "an npz", "save it again with numpy.savez", DataError),
        zipfile.ZipFile(path) as archive,
    ):
        for member in archive.infolist():
            if member.filename.endswith(".npy"):
                arrays[member.filename.removesuffix(".npy")] = _verified(path, archive, member)
    return arrays


def _verified(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> StoredArray:
    """Read a member whole, which verifies its CRC at the end, and note where its array lies."""
    stored = member.compress_type == zipfile.ZIP_STORED
    copy = None if stored else tempfile.TemporaryFile()  # noqa: SIM115 - it is read for as long as the array lives
    with archive.open(member) as stream:
        shape, fortran, dtype = _header(stream)
        n_header_bytes = stream.tell()
        if dtype.hasobject:
            raise ValueError(
                f"{member.filename} holds pickled objects, which could run code; save plain numbers"
            )
        by_row = len(shape) >= 3 and not fortran
        n_pieces = shape[0] if by_row else 1
        n_bytes = math.prod(shape) * dtype.itemsize // max(1, n_pieces)
        if math.prod(shape) * dtype.itemsize > member.file_size:
            raise ValueError(f"{member.filename} ends early")
        checksums = np.array([_checksum(stream, n_bytes, copy) for _ in range(n_pieces)], dtype=np.uint32)
        while stream.read(_BLOCK_BYTES):
            pass
    if copy is not None:
        return StoredArray(_Shared(copy, path), 0, shape, dtype, fortran, checksums if by_row else None)
    file = open_file(path)
    start = _start(file, member) + n_header_bytes
    return StoredArray(_Shared(file, path), start, shape, dtype, fortran, checksums if by_row else None)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read: Any = np.lib.format.read_array_header_1_0
    if version != (1, 0):
        read = np.lib.format.read_array_header_2_0
    found: tuple[tuple[int, ...], bool, np.dtype[Any]] = read(stream)
    return found


def _checksum(stream: IO[bytes], n_bytes: int, copy: IO[bytes] | None) -> int:
    """CRC-32 of the next bytes, which are also written to a copy."""
    checksum = 0
    while n_bytes:
        block = stream.read(min(n_bytes, _BLOCK_BYTES))
        if not block:
            raise ValueError("an array ends early")
        n_bytes -= len(block)
        checksum = zlib.crc32(block, checksum)
        if copy is not None:
            _write(copy, block)
    return checksum


def _write(copy: IO[bytes], block: bytes) -> None:
    try:
        copy.write(block)
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise DiskFullError(
            f"the disk is full: a compressed npz is unpacked to {tempfile.gettempdir()}; free some space there, or set "
            "TMPDIR to another folder"
        ) from None


def _start(file: IO[bytes], member: zipfile.ZipInfo) -> int:
    """Where the content of a member that is not compressed begins."""
    # a local file header is 30 bytes, then name and extra field, whose lengths stand at 26 and 28
    file.seek(member.header_offset + 26)
    lengths = file.read(4)
    n_bytes = int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    return member.header_offset + 30 + n_bytes
