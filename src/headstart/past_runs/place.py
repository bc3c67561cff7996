"""Where the record of finished runs lies: one file in the folder where this system keeps a user's data."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from headstart.errors import OptionError
from headstart.files import named_path

VARIABLE = "HEADSTART_RECORD"
OFF = "off"


def record_path() -> Path | None:
    """`$HEADSTART_RECORD`, else a file in the user's data folder; None if it is `off`.

    Raises:
        OptionError: no file can have the given name, or this user has no home folder.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if given.lower() == OFF:
        return None
    if given:
        return named_path(given, VARIABLE)
    try:
        return _data_folder() / "finished-runs.sqlite"
    except RuntimeError:
        raise OptionError(
            f"this user has no home folder for the record of finished runs: set {VARIABLE} to a file, or to {OFF}"
        ) from None


def _data_folder() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "headstart"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "headstart" / "Data"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "headstart"
