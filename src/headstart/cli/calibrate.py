"""The command `headstart calibrate`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

from headstart.calibrating.options import CalibrateOptions, calibrate_options
from headstart.cli.options import AsJson, Quiet, print_result, with_options
from headstart.progress import set_quiet


@with_options(CalibrateOptions)
def calibrate(
    *,
    as_json: AsJson = False,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Correct the probabilities of a finished run by new labelled DATA; a new run is written."""
    set_quiet(quiet)
    from headstart.calibrating.procedure import run_calibrate

    options = calibrate_options(**{name: value for name, value in given.items() if value is not None})
    with redirect_stdout(sys.stderr):  # what code of the user's own prints is no result
        found = run_calibrate(options)
    print_result(found, as_json)
