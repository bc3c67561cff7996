"""What errors of the system mean for the store, in words for people."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from headstart.errors import DiskFullError, StoreError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def explained(error: OSError, folder: Path, n_bytes: int) -> StoreError:
    """The error of the store that says what an error of the system means.

    Args:
        error: the system's.
        folder: where it was met.
        n_bytes: how much was to be written.
    """
    if error.errno in _FULL:
        return disk_full(folder, n_bytes)
    return StoreError(
        f"the feature store cannot be written: {folder} ({error.strerror or error}); "
        "pass a folder you may write with --store, or set HEADSTART_CACHE"
    )


def disk_full(folder: Path, n_bytes: int) -> DiskFullError:
    """The error of a disk without room, naming the folder and what is needed and free."""
    try:
        n_free = shutil.disk_usage(folder).free
    except OSError:
        n_free = 0
    return DiskFullError(
        f"no room for features in {folder}: {size(n_bytes)} needed, {size(n_free)} free; "
        "free some (`headstart cache` lists and prunes what is stored), or pass another folder with --store"
    )


def size(n_bytes: int) -> str:
    """A number of bytes for people: "312 MB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.3g} {unit}"
    return f"{n_bytes} bytes"
