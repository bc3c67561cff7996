"""Text in a CSV that spreadsheets would run as a formula: it gets a quote in front, which reading takes off again.

A spreadsheet computes a cell that begins with = + - @, a tab or a line break, and a formula can send other cells to
the web. With a quote ' in front it shows the text. Numbers and the mark for "no label" are left as they are.
"""

from __future__ import annotations

import re

from headstart.tasks import NO_LABEL

_RUNS = re.compile(r"'*[=+\-@\t\r\n]")  # with quotes in front: so that no two texts become the same
_QUOTED = re.compile(r"'+[=+\-@\t\r\n]")


def harmless(text: str) -> str:
    """The text as it is written to a CSV."""
    return f"'{text}" if _RUNS.match(text) and text != NO_LABEL and not _is_number(text) else text


def as_given(cell: str) -> str:
    """The text of a cell that `harmless` wrote."""
    return cell[1:] if _QUOTED.match(cell) else cell


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None
