"""The command `headstart audit`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.auditing.options import AuditOptions
from headstart.cli.options import AsJson, Quiet, print_result, with_options
from headstart.progress import set_quiet


@with_options(AuditOptions)
def audit(
    *,
    resume: Annotated[Path | None, typer.Option(help="Resume this unfinished audit.", metavar="RUN")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Audit transfer to DATA: accuracy gained, labels and time saved, and whether it hurts."""
    set_quiet(quiet)
    from headstart.auditing.configuration import options_of_command
    from headstart.auditing.procedure import run_audit

    written = {name: value for name, value in given.items() if value is not None}
    options = options_of_command(written, resume)
    with redirect_stdout(sys.stderr):  # what code of the user's own prints is no result
        found = run_audit(options, resume)
    print_result(found, as_json)
