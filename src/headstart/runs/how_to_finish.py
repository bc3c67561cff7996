"""What a user does with a run that did not finish, by its kind."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.errors import InputError
from headstart.yaml_files import read_settings


def how_to_finish(configuration: Path, run: Path | str) -> str:
    """What to do with an unfinished run, by the kind of run that its configuration names.

    Args:
        configuration: its headstart.yaml.
        run: its folder, as the user named it.
    """
    try:
        settings = read_settings(configuration, "the configuration")
    except InputError:  # stopped before it was written, or damaged: opening the run to resume it says so
        settings = {}
    if "evaluate" in settings:
        return "give the command of the evaluation again"
    if "calibrate" in settings:
        return "give the command of the calibration again"
    if "explain" in settings:
        return "give the command of the explanations again"
    if "rank" in settings:
        return "give the command of the ranking again, which uses the features that are stored already"
    return f"resume it with headstart {resumed_by(settings)} --resume {shlex.quote(str(run))}"


def resumed_by(settings: Mapping[str, Any]) -> str:
    """The verb that resumes an unfinished run.

    Args:
        settings: the content of its headstart.yaml.
    """
    return next((verb for verb in ("audit", "adapt") if verb in settings), "fit")
