"""report: open the report of a finished run."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from headstart.errors import InputError


def report(run: str | Path, *, show: bool = True) -> Path:
    """Find the report of a finished run, and open it in the browser.

    Args:
        run: the run's folder.
        show: open it; else only return its path.

    Returns:
        The path of report.html.

    Raises:
        InputError: there is no such run, or it was made without a report.
    """
    from headstart.runs import RunDirectory

    directory = RunDirectory.open(run)
    path = directory.file("report.html")
    if not path.is_file():
        raise InputError(f"the run {run} was made with --no-report; make it again without that option")
    if show:
        webbrowser.open(path.absolute().as_uri())
    return path
