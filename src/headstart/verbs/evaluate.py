"""evaluate: how good a finished run is on new labelled items, and whether it differs from its own score."""

from __future__ import annotations

from typing import Any

from headstart.evaluating.options import EvaluateOptions, evaluate_options
from headstart.evaluating.procedure import run_evaluate
from headstart.evaluating.result import Evaluation
from headstart.fitting.signatures import takes


@takes(EvaluateOptions)
def evaluate(**options: Any) -> Evaluation:
    """Score a finished run on labelled items that it has not learned from.

    Items that it has learned from are left out. The new score is compared with the run's own one, with the interval
    of the difference of two independent samples (`headstart.metrics.independent`).

    Args:
        run: its folder.
        data: a folder, a table, an npz file or a hub id, with labels; or a pandas DataFrame, a Dataset
            or DatasetDict of `datasets`, or a list of (item, label).
        options: every other option by name, such as target="diagnosis" (docs/options.md).

    Returns:
        The evaluation.

    Raises:
        InputError: there is no such run, it holds no model, or the data cannot be scored by it.
    """
    return run_evaluate(evaluate_options(**options))
