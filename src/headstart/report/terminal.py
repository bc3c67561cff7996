"""Lines of plain text that end a command, shared by all kinds of run."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence

WIDTH = 92


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> str:
    """A sentence in lines of at most `width` columns.

    Args:
        text: one sentence or more.
        width: of a line.
        first: what the first line begins with.
        rest: what the others begin with; None: the same.
    """
    later = first if rest is None else rest
    return textwrap.fill(text, width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)


def places(run: str, files: Sequence[str], next_command: str) -> str:
    """Where the result is, how its report is opened, and what to run next.

    Args:
        run: the run's folder as the user would write it.
        files: the main ones in it; the report is among them if it was written.
        next_command: "" for none.
    """
    lines = [f"  Result  {run}  ({', '.join(files)})"]
    if "report.html" in files:
        lines.append(f"  Report  headstart report {shlex.quote(run)}")
    if next_command:
        lines.append(f"  Next    {next_command}")
    return "\n".join(lines)


def cut(text: str, width: int, kept_first: float = 0.35) -> str:
    """A text of at most `width` characters, with an ellipsis in place of what is left out.

    Args:
        text: any.
        width: at least 1.
        kept_first: share of what is kept that stands before the ellipsis.
    """
    if len(text) <= width:
        return text
    n_first = round((width - 1) * kept_first)
    return f"{text[:n_first]}…{text[len(text) - (width - 1 - n_first) :]}"


def fitting(names: Sequence[str], width: int, letters: Sequence[str]) -> list[str]:
    """Names of at most `width` characters, still different from each other.

    They are cut in the middle, else at the end or the beginning; names that no cut tells apart get their letter.

    Args:
        names: of the rows.
        width: at least 6.
        letters: of the rows, as in the report.
    """
    for kept_first in (0.35, 1.0, 0.0):
        found = [cut(name, width, kept_first) for name in names]
        if len(set(found)) == len(set(names)):
            return found
    return [
        f"{letter} {cut(name, width - 1 - len(letter))}" for letter, name in zip(letters, names, strict=True)
    ]
