"""The bytes of items: read once from a regular file, with the digest of exactly what was read.

What is decoded is compared with what the scan saw, so that a file which changes in between is reported and never
stored under the digest of its earlier content.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from headstart.errors import DataError
from headstart.files import open_regular

WHOLE_BYTES = 2**26  # files up to this size are read into memory; only long recordings are larger


class Unreadable(DataError):
    """An item that cannot be decoded; its text is the reason alone, callers add the item's name."""


def open_file(path: Path) -> IO[bytes]:
    """Open a regular file; a named pipe or a device, which could block for ever, is refused.

    Raises:
        Unreadable: it is missing, not a regular file, or may not be read.
    """
    try:
        return open_regular(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def require_regular(paths: Iterable[Path]) -> None:
    """Refuse files that a library opens itself and that are not regular: it could block for ever.

    Raises:
        DataError: it names the first one.
    """
    for path in paths:
        try:
            open_file(path).close()
        except Unreadable as error:
            raise DataError(f"{path} {error}") from None


def read_file(path: Path) -> bytes:
    """The bytes of a regular file.

    Raises:
        Unreadable: see `open_file`.
    """
    with open_file(path) as file:
        return _read(file)


def content_digest(data: bytes) -> str:
    """Hex digest (32 characters) of an item's bytes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def read_bytes(item: Path | bytes, digest: str = "") -> bytes:
    """The encoded bytes of an image or audio item.

    Args:
        item: a path, or the bytes themselves.
        digest: of the content that is expected; "": any.

    Raises:
        Unreadable: the file cannot be read, or its content has another digest.
    """
    data = item if isinstance(item, bytes) else read_file(item)
    if digest:
        require_digest(content_digest(data), digest)
    return data


def open_bytes(item: Path | bytes) -> IO[bytes]:
    """The encoded bytes of an item as a file in memory; a file over `WHOLE_BYTES` stays on the disk.

    Raises:
        Unreadable: see `open_file`.
    """
    if isinstance(item, bytes):
        return io.BytesIO(item)
    file = open_file(item)
    if os.fstat(file.fileno()).st_size > WHOLE_BYTES:
        return file
    with file:
        return io.BytesIO(_read(file))


def _read(file: IO[bytes]) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from None


def digest_of(file: IO[bytes]) -> str:
    """`content_digest` of an open file, which stands at its beginning afterwards."""
    found = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()  # type: ignore[arg-type]
    file.seek(0)
    return found


def require_digest(found: str, expected: str) -> None:
    """Refuse content that is not what the scan saw.

    Args:
        found: digest of what was read.
        expected: digest of what was scanned.

    Raises:
        Unreadable: they differ.
    """
    if found != expected:
        raise Unreadable(
            "its content changed after it was checked: run the command again when nothing writes to it"
        )
