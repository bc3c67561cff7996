"""Excel workbooks are read as a csv of the same cells would be."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from headstart.data import excel
from headstart.data.read import read_examples
from headstart.data.tables import read_table
from headstart.errors import DataError


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_cells_as_a_user_would_write_them(tmp_path: Path) -> None:
    rows = [
        ["text", "label", "day", None, "share"],
        ["03", 3, datetime.datetime(2026, 5, 1), None, 0.5],
        [None, None, None, None, None],
        [" a ", True, datetime.datetime(2026, 5, 1, 12, 30), None, 2.0],
        ["x", None, None, None, 1e300],
    ]
    table = read_table(workbook(tmp_path / "t.xlsx", {"one": rows}))
    assert {name: values.tolist() for name, values in table.columns.items()} == {
        "text": ["03", " a ", "x"],
        "label": ["3", "true", ""],
        "day": ["2026-05-01", "2026-05-01T12:30:00", ""],
        "share": ["0.5", "2", "1e+300"],
    }


def test_the_first_sheet_with_rows_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    rows = [["review", "label"], ["a good film", "pos"], ["a bad film", "neg"]]
    path = workbook(tmp_path / "t.xlsx", {"empty": [], "mine": rows, "other": rows})
    examples = read_examples(path)
    assert list(examples.items) == ["a good film", "a bad film"] and examples.classes == ("neg", "pos")
    assert "t.xlsx: sheet 'mine' is read; 2 more sheets are not." in examples.notes


def test_rows_beyond_the_size_that_the_file_states_are_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", {"one": [["text", "label"], ["a", "x"], ["b", "y"], ["c", "x"]]})
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b'<dimension ref="A1:B4"', b'<dimension ref="A1:B2"')
    assert b'ref="A1:B2"' in parts[sheet]
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    assert read_table(path).columns["label"].tolist() == ["x", "y", "x"]


def test_what_is_no_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "t.xlsx", {"one": [["text", "label"], ["a", "b"]]})
    content = path.read_bytes()
    for damaged in (b"", b"text,label\n", content[: len(content) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"t\.xlsx cannot be read as an Excel workbook"):
            read_table(path)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(DataError, match=r"t\.xlsx cannot be read as an Excel workbook"):
        read_table(path)
    path.write_bytes(content)
    empty = workbook(tmp_path / "empty.xlsx", {"one": []})
    with pytest.raises(DataError, match="is empty"):
        read_table(empty)
    monkeypatch.setattr(excel, "MOST_BYTES", 1_000)
    with pytest.raises(DataError, match="save the sheet as csv"):
        read_table(path)
