"""The command `headstart evaluate`."""

from __future__ import annotations

from typing import Any

from headstart.cli.options import AsJson, Quiet, print_result, with_options
from headstart.evaluating.options import EvaluateOptions, evaluate_options
from headstart.progress import set_quiet


@with_options(EvaluateOptions)
def evaluate(
    *,
    as_json: AsJson = False,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Evaluate a finished run on new labelled DATA, and compare with its own score."""
    set_quiet(quiet)
    from headstart.evaluating.procedure import run_evaluate

    options = evaluate_options(**{name: value for name, value in given.items() if value is not None})
    print_result(run_evaluate(options), as_json)
