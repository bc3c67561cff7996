"""One csv, tsv, json lines, json or parquet table: texts, paths of files, or embedded files."""

from __future__ import annotations

from headstart.data.columns import row_names
from headstart.data.examples import Examples
from headstart.data.place import Place, ReadOptions
from headstart.data.table_examples import examples_from_table
from headstart.data.tables import TABLE_SUFFIXES, read_table

DESCRIPTION = "a csv, tsv, jsonl, json, parquet or xlsx table"


def matches(place: Place) -> bool:
    """Whether there is a file with the suffix of a table."""
    return place.is_file and place.suffix in TABLE_SUFFIXES


def read(place: Place, options: ReadOptions) -> Examples:
    """One item per row.

    Raises:
        DataError: the table is damaged, or a column is missing.
    """
    table = read_table(place.path)
    return examples_from_table(table, place.path.parent, options, row_names(table.n_rows))
