"""Rows of an Excel workbook as strings: its first sheet, values as they are stored, not as they are formatted."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path
from typing import Any

from headstart.data.examples import as_text
from headstart.errors import DataError, parsing
from headstart.files import open_regular
from headstart.units import agreeing, counted

MOST_BYTES = 2**30  # of the unpacked workbook: a small file can hold much more than the memory
_REPAIR = "save it again, or save the sheet as csv"


def read_rows(path: Path) -> tuple[list[list[str]], list[str]]:
    """Header and rows of the first sheet that holds any, and sentences on what was decided.

    Empty rows, and columns without a name and a value, are left out.

    Args:
        path: an .xlsx file.

    Raises:
        DataError: it is no workbook, is damaged, or is larger unpacked than `MOST_BYTES`.
    """
    import openpyxl

    with open_regular(path) as file:
        with parsing(path, "an Excel workbook", _REPAIR, DataError), zipfile.ZipFile(file) as packed:
            n_bytes = sum(entry.file_size for entry in packed.infolist())
        if n_bytes > MOST_BYTES:
            raise DataError(
                f"{path} holds {n_bytes / 1e9:.1f} GB unpacked, more than 1 GB: save the sheet as csv"
            )
        file.seek(0)
        with parsing(path, "an Excel workbook", _REPAIR, DataError):
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = book.worksheets
            title, rows = next(((sheet.title, rows) for sheet in sheets if (rows := _rows(sheet))), ("", []))
    others, notes = len(sheets) - 1, []
    if rows and others:
        left = f"{counted(others, 'more sheets')} {agreeing(others, 'is', 'are')} not"
        notes.append(f"{path.name}: sheet '{title}' is read; {left}.")
    return rows, notes


def _rows(sheet: Any) -> list[list[str]]:
    sheet.reset_dimensions()  # what the file says of its size may be wrong, and rows beyond it would be lost
    read = ([_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True))
    rows = [row for row in read if any(row)]
    if not rows:
        return []
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    used = [column for column in range(width) if any(row[column] for row in rows)]
    return [[row[column] for column in used] for row in rows]


def _text(value: Any) -> str:
    """A cell as a user would write it: whole numbers without a point, dates in the form of ISO 8601."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    return as_text(value)
