"""Errors of the system while the store is read or written, as messages for users."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from headstart.errors import DiskFullError, StoreError
from headstart.files import is_disk_full


def explained(error: OSError, folder: Path, n_bytes: int) -> StoreError:
    """Return the error of the store for an error of the system.

    Args:
        error: of the system.
        folder: where it happened.
        n_bytes: how much was to be written, 0 if it was read.
    """
    if is_disk_full(error):
        return disk_full(folder, n_bytes)
    return StoreError(
        f"the feature store cannot be read or written: {folder} ({error.strerror or error}); "
        "pass a folder that you may write to with --store, or set HEADSTART_CACHE"
    )


def removed(folder: Path) -> StoreError:
    """Return the error for a folder of the store that is no longer there."""
    return StoreError(
        f"the feature store was removed while it was in use: {folder} is missing; run the command again to make it"
    )


def how_to_remove(folder: Path) -> str:
    """The command that removes what is stored beside and in a key's folder."""
    return f"headstart cache --prune --store {shlex.quote(str(folder.parent))}"


def disk_full(folder: Path, n_bytes: int) -> DiskFullError:
    """Return the error for a full disk: which folder, how much is needed and how much is free."""
    try:
        n_free = shutil.disk_usage(folder).free
    except OSError:
        n_free = 0
    return DiskFullError(
        f"the disk is full, features do not fit in {folder}: {size(n_bytes)} needed, {size(n_free)} free; "
        "free some space (`headstart cache` lists and prunes what is stored), or pass another folder with --store"
    )


def size(n_bytes: int) -> str:
    """A number of bytes as text: "312 MB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.3g} {unit}"
    return f"{n_bytes} bytes"
