"""A folder with a table of its files: metadata.csv, or any one table whose path column names them."""

from __future__ import annotations

import re
from dataclasses import replace

from headstart.data.columns import path_column, require_path_column
from headstart.data.examples import Examples, string_array
from headstart.data.given_split import part_of
from headstart.data.place import Place, ReadOptions
from headstart.data.table_examples import examples_from_paths
from headstart.data.tables import Table, joined_tables

DESCRIPTION = "a folder with `metadata.csv` (tsv, jsonl, parquet)"
_NAME = r"metadata\.(csv|tsv|jsonl|parquet)"


def matches(place: Place) -> bool:
    """Whether there is a metadata table, or one other table whose paths name the files beside it."""
    return bool(_metadata(place)) or _list_of_files(place) is not None


def read(place: Place, options: ReadOptions) -> Examples:
    """The files that the table names; its columns override folder names.

    Raises:
        DataError: the table is damaged, a column is missing, or files are missing.
    """
    return examples_from_paths(_table(place), place.path, options)


def _metadata(place: Place) -> list[str]:
    """The metadata table of the folder, or those in the folders of its parts."""
    own = [name for name in place.files if re.fullmatch(_NAME, name)]
    inside = [name for name in place.files if re.fullmatch(f"[^/]+/{_NAME}", name)]
    return own[:1] or [name for name in inside if part_of(name.split("/")[0])]


def _list_of_files(place: Place) -> Table | None:
    """The one table beside the items, if it has a column of paths."""
    if not place.media or len(place.tables) != 1 or place.tables[0].endswith(".npz"):
        return None
    table = place.table(place.tables[0])
    return table if path_column(table.columns, place.path) is not None else None


def _table(place: Place) -> Table:
    found = _metadata(place)
    if not found:
        table = _list_of_files(place)
        assert table is not None  # `matches` saw it
        note = f"Labels are taken from {place.tables[0]}, whose paths name the files."
        return replace(table, notes=(*table.notes, note))
    if "/" not in found[0]:
        return place.table(found[0])
    tables = []
    for file in found:
        table = place.table(file)
        column = require_path_column(table)
        paths = string_array(f"{file.split('/')[0]}/{value}" for value in table.columns[column])
        tables.append(replace(table, columns={**table.columns, column: paths}))
    return joined_tables(place.path / "metadata.csv", tables)
