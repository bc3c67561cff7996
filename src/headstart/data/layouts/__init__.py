"""Data layouts: the ways in which a data set may lie on a disk or on the hub, one module each.

To add one: write its module here with `DESCRIPTION`, `matches` and `read`, and name it in `LAYOUTS`.
"""

from __future__ import annotations

from typing import Protocol

from headstart.data.examples import Examples
from headstart.data.layouts import (
    class_folders,
    hub_datasets,
    metadata_folder,
    npz,
    part_tables,
    single_file,
    single_table,
)
from headstart.data.place import Place, ReadOptions

__all__ = ["LAYOUTS", "Layout"]


class Layout(Protocol):
    """What a module of this folder holds."""

    DESCRIPTION: str  # one line, as in the table of docs/data.md

    def matches(self, place: Place) -> bool:
        """Whether the data lies in this layout, from names alone if they are enough."""

    def read(self, place: Place, options: ReadOptions) -> Examples:
        """The items. It raises a `DataError` that names file and remedy if something is wrong."""


# The first that matches is read. Class folders come last: they take any folder that nothing else knows.
LAYOUTS: tuple[Layout, ...] = (
    hub_datasets,
    npz,
    single_table,
    single_file,
    metadata_folder,
    part_tables,
    class_folders,
)
