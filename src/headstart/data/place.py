"""Where the data is, without reading it; and what the user asked to read from it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from headstart.data.examples import Modality
from headstart.data.given_split import part_of
from headstart.data.items import suffix_modality
from headstart.data.listing import Listing, list_files
from headstart.data.tables import TABLE_SUFFIXES, Table, read_table
from headstart.files import named_path


@dataclass(frozen=True)
class ReadOptions:
    """What the user asked for.

    Args:
        target: name of the target's column, or None.
        group: name of the group's column, or None.
        domain: name of the domain's column, or None.
        modality: which files to take, or None.
        labels_required: whether every item needs a label.
        follow_outside: whether links and paths in tables may lead out of the data folder.
        text: names of the columns whose texts are joined, in order; (): the column is found by its name.
        weight: name of the column of the items' weights, or None.
    """

    target: str | None = None
    group: str | None = None
    domain: str | None = None
    modality: Modality | None = None
    labels_required: bool = True
    follow_outside: bool = False
    text: tuple[str, ...] = ()
    weight: str | None = None


@dataclass(frozen=True, eq=False)
class Place:
    """A file, a folder, or the id of a data set; a folder is listed once, when its files are first needed.

    Args:
        data: as the user wrote it.
        follow_outside: whether links in the folder may lead out of it.
    """

    data: str | Path
    follow_outside: bool = False
    _tables: dict[str, Table] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def path(self) -> Path:
        """The path that `data` would be.

        Raises:
            OptionError: no file can have this name.
        """
        return named_path(self.data, "DATA")

    @cached_property
    def is_folder(self) -> bool:
        """Whether there is a folder."""
        return os.path.isdir(self.path)  # False also for a path that no file can have

    @cached_property
    def is_file(self) -> bool:
        """Whether there is a file."""
        return os.path.isfile(self.path)

    @cached_property
    def suffix(self) -> str:
        """The file's suffix in lower case, such as ".csv"; "" for a folder."""
        return "" if self.is_folder else self.path.suffix.lower()

    @cached_property
    def listing(self) -> Listing:
        """The files below the folder, with notes on what was left out.

        Raises:
            DataError: a folder cannot be read, or a link leads outside.
        """
        if not self.is_folder:
            return Listing()
        return list_files(self.path, is_read=_is_read, follow_outside=self.follow_outside)

    @property
    def files(self) -> list[str]:
        """The files below the folder, relative, sorted."""
        return self.listing.names

    @cached_property
    def media(self) -> list[str]:
        """The files that are items: images, recordings, and texts in a folder of their class."""
        return [name for name in self.files if _is_item(name)]

    @cached_property
    def tables(self) -> list[str]:
        """The tables and npz files that lie in the folder itself."""
        return [name for name in self.files if "/" not in name and is_table(name)]

    @cached_property
    def inside(self) -> Path | None:
        """The one table or folder that holds the data, if the folder is only a wrapper (an unpacked archive)."""
        if not self.media:
            return self.path / self.tables[0] if len(self.tables) == 1 else None
        tops = {name.split("/", 1)[0] for name in self.media}
        parts = {part_of(top) for top in tops}
        deep = all(name.count("/") >= 2 for name in self.media)
        return self.path / tops.pop() if len(tops) == 1 and "train" not in parts and deep else None

    def table(self, name: str) -> Table:
        """A table of the folder, read once."""
        if name not in self._tables:
            self._tables[name] = read_table(self.path / name)
        return self._tables[name]


def is_table(name: str | Path) -> bool:
    """Whether a file's suffix is that of a table or an npz."""
    return Path(name).suffix.lower() in (*TABLE_SUFFIXES, ".npz")


def _is_read(name: str) -> bool:
    return is_table(name) or suffix_modality(name) is not None


def _is_item(name: str) -> bool:
    kind = suffix_modality(name)
    return kind in ("image", "audio") or (kind == "text" and "/" in name)
