"""The risk of negative transfer, before anything is trained: the head alone against classical features.

Both are cross-validated on the same training items and folds, and compared item by item. The head is the one
that `fit` chooses among several depths and kinds: the last stage is read unless another is better beyond chance, so it
need not have the best score. A network with
random weights would be a second comparison at the price of another extraction: `headstart rank` has it in its table.

Legend: N items, C classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headstart import processes
from headstart.errors import HeadstartError
from headstart.fitting.workspace import Workspace
from headstart.metrics import Interval, Units, metric_named
from headstart.progress import say
from headstart.runs.foreseen import Foreseen, Standing

if TYPE_CHECKING:
    from headstart.choose import Choice


def foresee(workspace: Workspace, choice: Choice) -> Foreseen | None:
    """Compare the head alone with classical features; None if nothing was left out, or they cannot be read.

    Args:
        workspace: the plan with its features.
        choice: the head alone, with its cross-validated outputs.
    """
    if not len(choice.positions):
        return None
    with workspace.clock.phase("baseline"):
        return processes.from_first(lambda: _compared(workspace, choice))


def _compared(workspace: Workspace, choice: Choice) -> Foreseen | None:
    from headstart.evidence import compared, cross_validation_factor

    try:
        fitted = workspace.classical.fit(choice.positions, choice.folds)
    except HeadstartError as error:  # texts without a word: the evidence says so too, where it matters
        say(f"note: classical features were not compared with the head alone: {error}")
        return None
    positions, task = fitted.left_out, workspace.targets.task
    codes, rows = workspace.codes[positions], np.searchsorted(choice.positions, positions)
    alone, classical = choice.out_of_fold[rows], fitted.model.out_of_fold.outputs
    units = Units.of(
        workspace.units(positions), len(positions), widen=cross_validation_factor(choice.n_folds)
    )
    difference = compared(codes, alone, classical, units, task=task)
    return Foreseen(
        float(task.item_quality(alone, codes).mean()),
        fitted.model.out_of_fold.mean_quality(workspace.codes[fitted.learned_from], task),
        difference,
        standing_of(difference, task.verdict_metric),
        len(positions),
    )


def standing_of(difference: Interval, metric: str) -> Standing:
    """Whether the first of two results is worse or better beyond chance.

    Args:
        difference: paired, first minus second.
        metric: key of the metric.
    """
    low, high = difference.low, difference.high
    if low is None or high is None or low <= 0 <= high:
        return "undecided"
    return "better" if (low > 0) == (metric_named(metric).better == "higher") else "worse"


def warn(workspace: Workspace, foreseen: Foreseen, *, guards: bool = False) -> None:
    """Print the risk, unless the head alone is better beyond chance.

    Args:
        workspace: names the modality.
        foreseen: what was found.
        guards: whether classical features are returned where they are better, so that this needs no advice.
    """
    from headstart.report.pages.fit.foreseen import foreseen_lead, foreseen_words

    lead = foreseen_lead(foreseen)
    if not lead:
        return
    found = foreseen_words(foreseen, workspace.targets.task, workspace.plan.data.examples.modality)
    severity = "warning" if foreseen.outcome == "worse" else "note"
    advice = "" if guards else "; --guard returns classical features where they are better beyond chance"
    say(f"{severity}: {lead}: {found}. Compare sources with `headstart rank`{advice}")
