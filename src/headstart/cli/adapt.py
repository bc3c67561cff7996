"""The command `headstart adapt`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.adapting.options import AdaptOptions
from headstart.cli.options import AsJson, Quiet, print_result, with_options
from headstart.progress import set_quiet


@with_options(AdaptOptions)
def adapt(
    *,
    resume: Annotated[
        Path | None, typer.Option(help="Resume this unfinished adaptation.", metavar="RUN")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Adapt from labelled DATA to the domain of TARGET, without labels there."""
    set_quiet(quiet)
    from headstart.adapting.configuration import options_of_command
    from headstart.adapting.procedure import run_adapt

    written = {name: value for name, value in given.items() if value is not None}
    options = options_of_command(written, resume)
    with redirect_stdout(sys.stderr):  # what code of the user's own prints is no result
        found = run_adapt(options, resume)
    print_result(found, as_json)
