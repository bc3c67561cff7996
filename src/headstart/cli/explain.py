"""The command `headstart explain`."""

from __future__ import annotations

from typing import Any

from headstart.cli.options import AsJson, Quiet, print_result, with_options
from headstart.explaining.options import ExplainOptions, explain_options
from headstart.progress import set_quiet


@with_options(ExplainOptions)
def explain(
    *,
    as_json: AsJson = False,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Explain what the predictions of a finished run for ITEMS depend on, and test the explanations."""
    set_quiet(quiet)
    from headstart.explaining.procedure import run_explain

    options = explain_options(**{name: value for name, value in given.items() if value is not None})
    print_result(run_explain(options), as_json)
