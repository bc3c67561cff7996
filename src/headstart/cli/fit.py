"""The command `headstart fit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from headstart import processes
from headstart.cli.options import AsJson, print_result, with_options
from headstart.fitting.options import FitOptions
from headstart.progress import printable, set_quiet


@with_options(FitOptions)
def fit(
    *,
    config: Annotated[
        Path | None,
        typer.Option(help="Read the options from this file, such as a run's headstart.yaml.", metavar="FILE"),
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Resume this unfinished run.", metavar="RUN")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show data checks, split, stages, time and disk, then stop.")
    ] = False,
    as_json: AsJson = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Print the run's folder and errors alone."),
    ] = False,
    **given: Any,
) -> None:
    """Fit a model to DATA from a pretrained source, and explain it."""
    set_quiet(quiet)
    from headstart.fitting.configuration import options_of_command

    written = {name: value for name, value in given.items() if value is not None}
    options = options_of_command(written, config, resume)
    if dry_run:
        if processes.is_first():
            from headstart.fitting.dry_run import dry_run as dry_run_verb

            with processes.alone():
                planned = dry_run_verb(options)
            print(json.dumps(planned.to_json(), indent=2) if as_json else printable(planned.text))
        return
    from headstart.fitting.procedure import run_fit

    run = run_fit(options, resume)
    if not processes.is_first():
        return
    if quiet and not as_json:
        print(printable(str(run.path)))
    else:
        print_result(run, as_json)
