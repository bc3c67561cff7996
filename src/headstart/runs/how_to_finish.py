"""What a user does with a run that did not finish, by its kind."""

from __future__ import annotations

import shlex
from pathlib import Path

from headstart.errors import InputError
from headstart.run_kinds import RUN_KINDS, kind_in
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
    kind = kind_in(settings)
    return RUN_KINDS[kind].again or f"resume it with headstart {kind} --resume {shlex.quote(str(run))}"
