"""explain: which parts of an item a finished run's prediction depends on, and a test whether that is so."""

from __future__ import annotations

from typing import Any

from headstart.explaining.options import ExplainOptions, explain_options
from headstart.explaining.procedure import run_explain
from headstart.explaining.result import Explanations
from headstart.fitting.signatures import takes


@takes(ExplainOptions)
def explain(**options: Any) -> Explanations:
    """Explain a finished run's predictions: the regions, words or sounds that they depend on.

    Attributions are the coefficients of a ridge regression of the run's outputs on the parts of an item that are
    present (LIME, Ribeiro et al. 2016). A deletion test (Samek et al. 2017; Petsiuk et al. 2018) says whether they
    carry information.

    Args:
        run: its folder.
        data: items as `headstart.predict` takes them: a folder, a table, one file, or a list of paths, texts or
            pictures.
        options: every other option by name, such as class_name="ants" (docs/options.md).

    Returns:
        The explanations.

    Raises:
        InputError: there is no such run, it holds no model, or the items cannot be read.
    """
    return run_explain(explain_options(**options))
