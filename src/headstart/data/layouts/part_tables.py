"""A folder with one table per part: train.csv, val.csv, test.csv."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from headstart.data.examples import Examples, string_array
from headstart.data.given_split import part_of
from headstart.data.place import Place, ReadOptions
from headstart.data.table_examples import examples_from_table
from headstart.data.tables import joined_tables, read_table
from headstart.errors import DataError

DESCRIPTION = "a folder with tables named `train`, `val`, `test`"


def matches(place: Place) -> bool:
    """Whether the folder holds several tables and no items."""
    return not place.media and len(place.tables) > 1


def read(place: Place, options: ReadOptions) -> Examples:
    """The rows of all tables, train first.

    Raises:
        DataError: the tables are not named by parts, or a table is damaged or lacks a column.
    """
    folder, names = place.path, place.tables
    parts = {name: part_of(Path(name).stem) for name in names}
    if not all(parts.values()) or "train" not in parts.values():
        raise DataError(
            f"{folder} holds {len(names)} tables ({', '.join(names[:4])}): pass one of them, or name "
            "them train.csv, val.csv and test.csv."
        )
    tables = [
        read_table(folder / name) for name in sorted(names, key=lambda name: (parts[name] != "train", name))
    ]
    table = joined_tables(folder / "tables", tables)
    parted = string_array(table.path.stem for table in tables for _ in range(table.n_rows))
    rows = string_array(f"{table.path.name} row {row + 1}" for table in tables for row in range(table.n_rows))
    table = replace(table, columns={**table.columns, "split": parted})
    return examples_from_table(table, folder, options, rows, split_from="the files' names")
