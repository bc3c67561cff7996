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
