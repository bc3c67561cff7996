"""The feature store: the output of frozen networks, kept on disk so that it is computed only once.

A *key* says what was computed (source weights, preprocessing, stages or cut, precision). Every key has a
*key folder* of *shards*: files with the values of some items, found by the digest of the item's content.
Changed weights, preprocessing or files give other keys and digests, so no outdated value is ever read. Shards
are written whole or not at all and carry a checksum that is verified before their values are used; several
processes may read and write one store at the same time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from headstart.errors import OptionError, StoreError
from headstart.features.failures import disk_full, explained, removed, size
from headstart.features.features import stage_name
from headstart.features.key_folder import KeyFolder
from headstart.features.precision_record import keep_measured
from headstart.features.shards import TEMPORARY
from headstart.files import named_path, put_in_place, read_regular
from headstart.locks import FolderLock, create_locked
from headstart.progress import say

DEFAULT_LIMIT_BYTES = 20_000_000_000
_FORMAT = 2
_REMOVED = ".removed-"


@dataclass(frozen=True)
class Key:
    """What stored values mean; two keys that differ in anything but the label never share values.

    Attributes:
        source: digest of the source's weights and architecture.
        preprocessing: digest of the preprocessing.
        what: "pooled" (one vector per stage) or "state" (the prefix's output).
        stages: the names and module paths of the stages.
        precision: "fp32" or "bf16".
        cut: of a state, the number of stages before it.
        view: of a state, which augmented view; 0 is the plain one.
        seed: of an augmented view, the seed of its augmentation.
        augment: of an augmented view, the settings that differ from the default ones.
        label: the source's name, for the user; it is not part of the digest.
    """

    source: str
    preprocessing: str
    what: str
    stages: tuple[tuple[str, str], ...]
    precision: str
    cut: int | None = None
    view: int = 0
    seed: int = 0
    augment: str = ""
    label: str = ""

    @property
    def digest(self) -> str:
        """The name of the key's folder, 32 hexadecimal digits."""
        fields = {name: value for name, value in asdict(self).items() if name != "label"}
        if not self.augment:
            del fields["augment"]  # so that keys of plain and default views stay the same
        text = json.dumps({"format": _FORMAT, **fields}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Entry:
    """One key of the store as `headstart cache` lists it.

    Attributes:
        digest: the key's digest, and the name of its folder.
        label: the source's name.
        what: "pooled" or "state at cut k", with the precision.
        n_bytes: bytes on the disk.
        used: when it was last used, in seconds since 1970.
    """

    digest: str
    label: str
    what: str
    n_bytes: int
    used: float


class Store:
    """Features on the disk, one folder per key.

    Args:
        root: the folder; None takes `$HEADSTART_CACHE`, else the user's cache folder.
        limit_bytes: how much it may hold; the least recently used keys are removed first.
    """

    def __init__(self, root: Path | str | None = None, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.root = default_root() if root is None else named_path(root, "the feature store")
        self.limit_bytes = limit_bytes

    def open(self, key: Key) -> KeyFolder:
        """Open the folder of a key, making it if it does not exist; it cannot be pruned while it is open.

        Raises:
            StoreError: the folder cannot be made or written, or something else is in its place.
        """
        folder = self.root / key.digest
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            what = "a link" if folder.is_symlink() else "a file"
            raise StoreError(
                f"{folder} is {what}, where the feature store {self.root} keeps a folder: remove it, or pass "
                "another folder with --store"
            )
        try:
            lock = FolderLock.share(folder)
            about = folder / "key.json"
            if _read_about(folder) is None:  # none yet, or a damaged one
                file, temporary = create_locked(folder, TEMPORARY)
                with file:
                    file.write(json.dumps(asdict(key), indent=1).encode())
                    put_in_place(temporary, about)
            os.utime(about)
            keep_measured(self.root)
        except OSError as error:
            raise explained(error, self.root, 0) from error
        names = frozenset(stage_name(index) for index in range(len(key.stages)))
        return KeyFolder(folder, lock, vectors=names if key.what == "pooled" else None)

    def make_room(self, key_folders: Sequence[KeyFolder], n_bytes: int) -> None:
        """Make room for so many bytes in key folders: prune others, or refuse before the work starts.

        Args:
            key_folders: where they will be written; these and others in use are not pruned.
            n_bytes: how many, in all of them together.

        Raises:
            DiskFullError: the disk has too little room.
            StoreError: the limit of the store is too small.
        """
        entries = self.list()
        names = {key_folder.path.name for key_folder in key_folders}
        own = sum(entry.n_bytes for entry in entries if entry.digest in names)
        if n_bytes + own > self.limit_bytes:
            raise StoreError(
                f"{size(n_bytes + own)} of features do not fit in the store {self.root}, whose limit is "
                f"{size(self.limit_bytes)}; raise the limit, or use fewer items or a later cut"
            )
        if sum(entry.n_bytes for entry in entries) + n_bytes > self.limit_bytes:
            self.prune(limit_bytes=self.limit_bytes - n_bytes)
        try:
            free = shutil.disk_usage(self.root).free
        except FileNotFoundError:
            raise removed(self.root) from None
        if n_bytes > free:
            raise disk_full(self.root, n_bytes)

    def list(self) -> tuple[Entry, ...]:
        """All keys of the store, least recently used first."""
        if not self.root.is_dir():
            return ()
        folders = [folder for folder in self.root.glob("[!.]*") if not folder.is_symlink()]
        entries = [entry for folder in folders if (entry := _entry(folder)) is not None]
        return tuple(sorted(entries, key=lambda entry: entry.used))

    def prune(
        self,
        *,
        limit_bytes: int | None = None,
        unused_seconds: float | None = None,
        digests: Sequence[str] | None = None,
    ) -> tuple[Entry, ...]:
        """Remove keys, least recently used first, never those in use; prints what was removed.

        Args:
            limit_bytes: remove until no more than this is left; None, if nothing else is given: the store's
                own limit.
            unused_seconds: remove keys that were not used for this time.
            digests: remove these keys (or keys that start with these letters).

        Returns:
            What was removed.
        """
        for leftover in self.root.glob(f"{_REMOVED}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if limit_bytes is None and unused_seconds is None and digests is None:
            limit_bytes = self.limit_bytes
        entries = self.list()
        n_left = sum(entry.n_bytes for entry in entries)
        removed = []
        for entry in entries:
            too_much = limit_bytes is not None and n_left > limit_bytes
            too_old = unused_seconds is not None and time.time() - entry.used > unused_seconds
            named = digests is not None and entry.digest.startswith(tuple(digests))
            if (too_much or too_old or named) and self._remove(entry):
                n_left -= entry.n_bytes
                removed.append(entry)
        if removed:
            n_bytes = sum(entry.n_bytes for entry in removed)
            names = ", ".join(sorted({entry.label or entry.digest for entry in removed}))
            say(f"Removed {size(n_bytes)} of stored features from {self.root}: {names}")
        return tuple(removed)

    def _remove(self, entry: Entry) -> bool:
        folder = self.root / entry.digest
        lock = FolderLock.alone(folder)
        if lock is None:
            return False
        try:
            doomed = self.root / f"{_REMOVED}{entry.digest}-{os.getpid()}"
            os.replace(folder, doomed)
            shutil.rmtree(doomed, ignore_errors=True)
        except OSError:
            return False
        finally:
            lock.close()
        return True


def default_root() -> Path:
    """`$HEADSTART_CACHE`, else the folder where this system keeps caches.

    Raises:
        OptionError: neither is known, since this user has no home folder.
    """
    if given := os.environ.get("HEADSTART_CACHE"):
        return named_path(given, "HEADSTART_CACHE")
    try:
        return _cache_folder()
    except RuntimeError:
        raise OptionError(
            "this user has no home folder for the feature store: name one with --store, or set HEADSTART_CACHE"
        ) from None


def _cache_folder() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "headstart"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "headstart" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headstart"


def _entry(folder: Path) -> Entry | None:
    """The content of a key's folder; None if it is not one, or is removed in the meantime."""
    about = _read_about(folder)
    if about is None:
        if (folder / "key.json").exists():
            _say_once(f"{folder} has a key.json that is not of the feature store: it is left as it is")
        return None
    try:
        used = (folder / "key.json").stat().st_mtime
        n_bytes = sum(file.stat(follow_symlinks=False).st_size for file in os.scandir(folder))
    except OSError:
        return None
    what = f"state at cut {about['cut']}" if about["what"] == "state" else about["what"]
    return Entry(folder.name, about["label"], f"{what}, {about['precision']}", n_bytes, used)


def _read_about(folder: Path) -> dict[str, Any] | None:
    """The key.json of a key's folder; None if there is none, or it is not one that `Store.open` wrote."""
    try:
        about = json.loads(read_regular(folder / "key.json", follow=False).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    words = ("label", "what", "precision")
    if not isinstance(about, dict) or not all(isinstance(about.get(name), str) for name in words):
        return None
    return about if about["what"] != "state" or isinstance(about.get("cut"), int) else None


@cache
def _say_once(text: str) -> None:
    say(text)
