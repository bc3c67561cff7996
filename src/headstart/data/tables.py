"""Read csv, tsv, json lines, parquet and xlsx into columns of strings, unchanged: "03" stays "03".

Text files are UTF-8 (with or without a byte-order mark) or UTF-16/32 with one; anything else is an error,
because a wrong guess would silently change letters.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headstart.data.content import Unreadable, read_file
from headstart.data.examples import as_text, string_array
from headstart.data.excel import read_rows
from headstart.errors import DataError, parsing
from headstart.files import open_regular
from headstart.units import counted

TABLE_SUFFIXES = frozenset([".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".xlsx"])
_REPAIR = "repair it, or write it again"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
LONGEST_LABELS = 64  # values per list on average; token ids are longer
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True)
class Table:
    """Columns of equal length.

    Args:
        path: the file, for messages.
        columns: name to (n_rows,) strings; "" where the value is missing.
        notes: sentences on what was decided while reading.
        blobs: columns of encoded files (parquet structs with bytes), fetched by row.
    """

    path: Path
    columns: Mapping[str, np.ndarray]
    notes: tuple[str, ...] = ()
    blobs: Mapping[str, Sequence[Any]] | None = None

    @property
    def n_rows(self) -> int:
        """Number of data rows."""
        return len(next(iter(self.columns.values()))) if self.columns else 0


def read_table(path: Path) -> Table:
    """Read one table by its suffix.

    Args:
        path: .csv, .tsv, .jsonl, .ndjson, .json (a list of objects), .parquet or .xlsx.

    Raises:
        DataError: it cannot be read, or holds no rows; the message names line and remedy.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        table = _read_parquet(path)
    elif suffix in (".jsonl", ".ndjson", ".json"):
        table = _read_json(path)
    elif suffix == ".xlsx":
        rows, notes = read_rows(path)
        table = Table(path, _columns(path, rows), tuple(notes))
    else:
        table = _read_delimited(path)
    if table.n_rows == 0:
        raise DataError(f"{path} holds no rows: give a table with a header and at least one row.")
    return table


def joined_tables(path: Path, tables: Sequence[Table]) -> Table:
    """Tables one after the other, with the columns that all of them have.

    Args:
        path: of the result, for messages.
        tables: at least one.
    """
    shared = [name for name in tables[0].columns if all(name in table.columns for table in tables)]
    columns = {name: np.concatenate([table.columns[name] for table in tables]) for name in shared}
    return Table(path, columns, tuple(note for table in tables for note in table.notes))


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16/32 with a byte-order mark; line ends are kept.

    Raises:
        DataError: the file cannot be opened, or is in another encoding (names the line, the byte and the
            remedy).
    """
    try:
        raw = read_file(path)
    except Unreadable as error:
        raise DataError(f"{path} {error}.") from None
    encoding = next((name for bom, name in _BOMS if raw.startswith(bom)), "utf-8")
    remedy = f"Save it as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8-{path.name}"
    wide = b"\x00" in raw[:4] and 4 * raw[:64].count(0) >= len(raw[:64]) > 3
    if encoding == "utf-8" and wide:
        raise DataError(
            f"{path} looks like UTF-16 without a byte-order mark. "
            f"{remedy.replace('WINDOWS-1252', 'UTF-16LE')}"
        )
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        shown = f"byte 0x{raw[error.start]:02X} on line {line} (offset {error.start:,})"
        raise DataError(
            f"{path} is not {encoding.upper()}: {shown} does not belong to it. {remedy}"
        ) from None


def _read_delimited(path: Path) -> Table:
    text = read_text(path)
    header = text.split("\n", 1)[0]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    notes: list[str] = []
    if delimiter == "," and "," not in header:
        other = max(";\t|", key=header.count)
        if header.count(other):
            delimiter = other
            notes.append(f"{path.name}: columns are separated by {other!r}, not by a comma.")
    try:
        rows = _delimited_rows(path, text, delimiter, csv.QUOTE_MINIMAL)
    except DataError:
        if delimiter != "\t":
            raise
        # many published tsv files hold bare quotes: the format has no quoting
        rows = _delimited_rows(path, text, delimiter, csv.QUOTE_NONE)
        notes.append(f"{path.name}: quotes are taken as part of the text, as they are not balanced.")
    return Table(path, _columns(path, rows), tuple(notes))


def _delimited_rows(path: Path, text: str, delimiter: str, quoting: Literal[0, 3]) -> list[list[str]]:
    """Header and rows as lists of strings; a fault in a row is an error that names the row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)
    old_limit = csv.field_size_limit(
        2**31 - 1
    )  # a long text is not an error; the default is 131,072 characters
    rows: list[list[str]] = []
    start = 1
    holds_nul = "\x00" in text
    try:
        for row in reader:
            if row:
                if holds_nul and any("\x00" in value for value in row):
                    raise DataError(
                        f"{path}, {f'row {len(rows)}' if rows else 'header'} (line {start}): holds a NUL byte, "
                        "which is not text. Remove such bytes, for example: "
                        f"tr -d '\\000' < {path.name} > clean-{path.name}"
                    )
                if rows and len(row) != len(rows[0]):
                    raise DataError(
                        f"{path}, row {len(rows)} (line {start}): {counted(len(row), 'values')} for "
                        f"{counted(len(rows[0]), 'columns')}. "
                        f"Put quotes around a value that holds {delimiter!r}, a quote or a line break."
                    )
                rows.append(row)
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}, row {len(rows)} (line {start}): a quote in this row is not closed, or text follows the "
            f"closing quote ({error}). "
            'Put "" for a quote inside quotes, and close what is open.'
        ) from None
    finally:
        csv.field_size_limit(old_limit)
    return rows


def _columns(path: Path, rows: list[list[str]]) -> dict[str, np.ndarray]:
    if not rows:
        raise DataError(f"{path} is empty: give a table with a header and at least one row.")
    names = [name.strip() or f"column_{index + 1}" for index, name in enumerate(rows[0])]
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise DataError(f"{path}: the header names {', '.join(repeated[:5])} more than once. Rename one.")
    return {name: string_array(values) for name, values in zip(names, zip(*rows[1:]))}


def _read_json(path: Path) -> Table:
    text = read_text(path)
    records: list[dict[str, Any]] = []
    if path.suffix.lower() == ".json":
        whole = _parse_json(path, text, "")
        if not isinstance(whole, list):
            raise DataError(f"{path} must hold a list of objects, or one object per line as .jsonl.")
        listed: Iterable[tuple[int, Any]] = enumerate(whole, start=1)
    else:
        lines = ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
        listed = ((number, _parse_json(path, line, f", line {number}")) for number, line in lines)
    for number, record in listed:
        if not isinstance(record, dict):
            raise DataError(f'{path}, line {number}: must be an object like {{"text": ..., "label": ...}}.')
        records.append(record)
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = {name: string_array(as_text(record.get(name)) for record in records) for name in names}
    if _SURROGATE.search(text):
        _refuse_surrogates(path, columns)
    return Table(path, columns)


def _refuse_surrogates(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    """Refuse half of a pair that JSON escapes, such as \\ud800: it is no character."""
    for name, values in columns.items():
        for row, value in enumerate((name, *values)):
            if any("\ud800" <= letter <= "\udfff" for letter in value):
                raise DataError(
                    f"{path}, {f'row {row}' if row else 'a name'}, column {name!a}: {value[:60]!a} holds half of a "
                    "surrogate pair, which is not text. Correct it or remove it."
                )


def _parse_json(path: Path, text: str, where: str) -> Any:
    try:
        return json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}{where}: not valid JSON ({error}).") from None


def _read_parquet(path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with parsing(path, "a Parquet table", _REPAIR, DataError):
        with open_regular(path) as file:  # a named pipe would block
            table = pq.read_table(file)
        names = table.column_names
    columns: dict[str, np.ndarray] = {}
    blobs: dict[str, Sequence[Any]] = {}
    for name in names:
        column = table.column(name)
        kind = column.type
        with parsing(f"{path}, column '{name}'", "a column of a Parquet table", _REPAIR, DataError):
            column.validate(full=True)  # offsets, and UTF-8
            holds_files = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
            if holds_files or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                blobs[name] = _Cells(column)
            elif pa.types.is_nested(kind) and not _is_labels(column):
                continue  # embeddings, boxes and the like are neither labels nor texts
            else:
                columns[name] = string_array(as_text(value) for value in column.to_pylist())
    if not columns and blobs:
        columns["row"] = string_array(range(1, table.num_rows + 1))
    return Table(path, columns, blobs=blobs)


def _is_labels(column: Any) -> bool:
    """Whether a column holds short lists of names or whole numbers, which may be the labels of its items."""
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    value = kind.value_type.value_type if pa.types.is_dictionary(kind.value_type) else kind.value_type
    if not (pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_integer(value)):
        return False
    return sum(len(chunk.flatten()) for chunk in column.chunks) <= LONGEST_LABELS * max(1, len(column))


class _Cells(Sequence[Any]):
    """The cells of a column of embedded files: bytes, or a mapping with `bytes` or `path`; made row by row."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, index: Any) -> Any:
        return self._column[int(index)].as_py()
