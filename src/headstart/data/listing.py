"""The files below a folder; where links lead, and whether that is inside."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from headstart.data.content import Unreadable
from headstart.errors import DataError, parsing

_SNAPSHOT = re.compile(r"(.*[/\\](?:models|datasets|spaces)--[^/\\]+)[/\\]snapshots[/\\][^/\\]+")
LEADS_OUT = "its path leads out of"  # begins the reason why an item outside of the data folder is not read
HOW_TO_FOLLOW = "pass --follow-outside (in Python: follow_outside=True)"


@dataclass
class Listing:
    """The files below a folder.

    Attributes:
        names: relative POSIX paths, sorted; hidden ones and `__MACOSX` are left out.
        folders: the folders that were listed, in the same form.
        notes: sentences on links that were left out.
    """

    names: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def list_files(
    folder: Path, *, is_read: Callable[[str], bool] = lambda name: True, follow_outside: bool = False
) -> Listing:
    """List the files below a folder, also through links.

    Args:
        folder: it may be a link itself.
        is_read: whether a file of this name would be read: a link of any other name may lead anywhere.
        follow_outside: whether links may lead out of the folder.

    Raises:
        DataError: a folder cannot be read, a link leads outside, or two folders are the same.
    """
    found, homes = Listing(), homes_of(folder)
    seen: dict[str, str] = {}  # each real folder, and the name under which its files are listed
    waiting: list[tuple[str, tuple[str, ...]]] = [("", ())]  # folders with the real folders above them
    while waiting:
        name, above = waiting.pop()
        real = os.path.realpath(folder / name)
        if real in above:
            found.notes.append(f"Left out of {folder.name}: {name}, a link to a folder above it.")
            continue
        if real in seen:
            raise DataError(
                f"{folder}: '{seen[real]}' and '{name}' are one folder, since one is a link to the other: its "
                "items would be read twice, with two labels. Remove the link."
            )
        seen[real] = name
        inside = []
        for entry in _entries(folder / name):
            path, is_folder = f"{name}/{entry.name}" if name else entry.name, _is_folder(entry)
            if entry.is_symlink() and not follow_outside and (is_folder or is_read(entry.name)):
                _refuse_outside(folder, homes, path)
            if is_folder:
                found.folders.append(path)
                inside.append((path, (*above, real)))
            else:
                found.names.append(path)
        waiting += reversed(inside)
    found.names.sort()
    found.folders.sort()
    return found


def _entries(place: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, sorted, without hidden files and `__MACOSX`."""
    with parsing(place, "a folder", "give this user access to it, or remove it", DataError):
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
    return [entry for entry in entries if not entry.name.startswith(".") and entry.name != "__MACOSX"]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


@dataclass(frozen=True)
class Border:
    """The folders that paths in a table or data set must not leave.

    Attributes:
        folders: where they may lead.
        follow_outside: whether they may lead anywhere.
    """

    folders: Sequence[Path]
    follow_outside: bool = False

    @cached_property
    def _real(self) -> list[str]:
        return [home for folder in self.folders for home in homes_of(folder)]

    def holds(self, path: str | Path) -> bool:
        """Whether a path may be read; a path that no file can have counts as inside."""
        try:
            return self.follow_outside or any(lies_inside(path, home) for home in self._real)
        except (OSError, ValueError):
            return True

    def checked(self, path: Path) -> Path:
        """A path that may be read.

        Raises:
            Unreadable: it leads outside.
        """
        if not self.holds(path):
            raise Unreadable(f"{LEADS_OUT} {self.folders[0]}")
        return path


def lies_inside(path: str | Path, home: str) -> bool:
    """Whether a path, its links resolved, is a folder or lies in it.

    Args:
        path: any.
        home: the folder's real path.
    """
    real = os.path.realpath(path)
    return real == home or real.startswith(home.rstrip(os.sep) + os.sep)


def homes_of(folder: Path) -> list[str]:
    """The real path of a folder; of a snapshot in the cache of Hugging Face also that of the blobs it links to."""
    home = os.path.realpath(folder)
    snapshot = _SNAPSHOT.match(home)
    return [home, os.path.join(snapshot[1], "blobs")] if snapshot else [home]


def _refuse_outside(folder: Path, homes: list[str], name: str) -> None:
    if not any(lies_inside(folder / name, home) for home in homes):
        raise DataError(
            f"{folder / name} is a link that leads out of {folder}, to {os.path.realpath(folder / name)}. If "
            f"this is meant, {HOW_TO_FOLLOW}; else remove the link."
        )
