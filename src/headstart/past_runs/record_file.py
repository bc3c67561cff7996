"""The record's SQLite file: a row is added or nothing is; what cannot be used is one warning, and is left as it is.

Several processes may use the file at once: SQLite locks it for the time of one insertion, and others wait for a few
seconds. Its journal undoes what a killed process did not finish. A file is only written to if `_state` says that it
is new or a record of this version, and SQLite finds no damage in it.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path
from urllib.parse import quote

from headstart.errors import InputError, one_line
from headstart.past_runs.place import OFF, VARIABLE, record_path
from headstart.past_runs.row import COLUMNS, SQL_COLUMNS, FinishedRun, from_row
from headstart.progress import say

VERSION = 1  # user_version of the file; raised when a column changes its meaning or a new one is needed
APPLICATION = 0x48535452  # application_id of the file: "HSTR"
WAIT_SECONDS = 5.0  # for another process that adds a run


class _Unusable(Exception):
    """The file is not a record that this version can use; its text says why."""


def add(run: FinishedRun) -> None:
    """Add a finished run to the record; never raises, since the run itself is already written.

    Args:
        run: what to record.
    """
    with _warned("this run is not added to it") as path:
        if path is None:
            return
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)  # it says what its user works on
        with closing(_connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            if _is_new(connection):
                connection.execute(f"CREATE TABLE finished_runs ({SQL_COLUMNS})")
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            marks = ", ".join("?" * len(COLUMNS))
            connection.execute(
                f"INSERT INTO finished_runs ({', '.join(COLUMNS)}) VALUES ({marks})", astuple(run)
            )
            connection.execute("COMMIT")


def read() -> tuple[FinishedRun, ...]:
    """All recorded runs, oldest first; () if there is no record, or none that can be used. Never raises."""
    runs: list[FinishedRun] = []
    with _warned("no earlier run is used") as path:
        if path is None or not path.exists():
            return ()
        with closing(_connect(path)) as connection:
            if not _is_new(connection):
                rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM finished_runs ORDER BY rowid")
                runs = [_checked(from_row(row)) for row in rows]
    return tuple(runs)


@contextmanager
def _warned(consequence: str) -> Iterator[Path | None]:
    """The path of the record, None if it is off or has no path; what fails in the block is one warning.

    Args:
        consequence: what a failure means, as the end of a sentence.
    """
    remedy = f"set {VARIABLE} to another file, or to {OFF}"
    try:
        path = record_path()
    except InputError as error:
        say(f"warning: {error}; {consequence}")
        yield None
        return
    try:
        yield path
    except (_Unusable, OSError, UnicodeError, sqlite3.Error) as error:  # a name in a damaged file is no text
        why = one_line(error, path or "").removeprefix(f"{type(error).__name__}: ")
        say(
            f"warning: the record of finished runs {path} cannot be used ({why}): it is left as it is, and "
            f"{consequence}; {remedy}"
        )


def _connect(path: Path) -> sqlite3.Connection:
    """Open a file that exists; without the right to write it, it can be read.

    Raises:
        _Unusable: it is a folder or something else than a file.
        OSError: it cannot be looked at.
        sqlite3.Error: SQLite cannot open it.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # opening it here would release the locks of another thread
        raise _Unusable("it is not a file")
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=WAIT_SECONDS, isolation_level=None)


def _is_new(connection: sqlite3.Connection) -> bool:
    """Whether the file is empty; else it is a whole record of this version.

    Raises:
        _Unusable: it is neither; nothing was changed.
        sqlite3.DatabaseError: it is damaged.
    """
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not tables and not application and not version:
        return True
    if application != APPLICATION:
        raise _Unusable("it is a database of another program")
    if version > VERSION:
        raise _Unusable(f"a newer headstart wrote it: version {version} of the file, {VERSION} is known")
    fault = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if version != VERSION or tables != {"finished_runs"} or fault != "ok":
        raise _Unusable("it is damaged")
    return False


def _checked(run: FinishedRun | None) -> FinishedRun:
    """A run that was read.

    Raises:
        _Unusable: a value of its row was of the wrong kind.
    """
    if run is None:
        raise _Unusable("it is damaged: a value is of the wrong kind")
    return run
