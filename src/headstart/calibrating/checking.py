"""Check that the model.pt2 of the new run gives what the correction says, on some of the items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headstart.calibrating.items import KnownItems
from headstart.errors import HeadstartError
from headstart.heads.correction import Correction, scores_of
from headstart.run_files import PROGRAM
from headstart.runs.model import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from headstart.runs import RunDirectory

MOST_ITEMS = 64
TOLERANCE = 1e-3
# Nearer to 1 a float32 holds too few digits of 1 - p: what the correction makes of it is not known well enough.
NEAR_ONE = 1e-5


def difference_from(
    run: RunDirectory,
    old: Model,
    correction: Correction,
    known: KnownItems,
    outputs_NC: NDArray[np.floating],
    threads: int | None,
) -> float:
    """The largest difference between a probability of the new program and the corrected one of the old program.

    Args:
        run: the new run, its program written.
        old: the run that was calibrated.
        correction: of its probabilities.
        known: N items.
        outputs_NC: what the old run gives for them.
        threads: cores to use.

    Raises:
        HeadstartError: an internal error: they do not agree.
    """
    from headstart.runs.program import run_program
    from headstart.runs.running import run_items

    rows = np.unique(np.linspace(0, len(known) - 1, min(len(known), MOST_ITEMS)).astype(np.intp))
    data, task, program = known.data, known.targets.task, run.file(PROGRAM)
    items, digests = data.examples.take(rows).items, data.scan.digests[rows]
    given = run_items(
        run_program(program), program, items, old.preprocessing, len(old.classes), threads, digests
    )
    expected = correction.outputs(task, scores_of(task, outputs_NC[rows]))
    compared = np.ones(given.shape, dtype=bool)
    if task.many_per_item:
        compared = outputs_NC[rows] < 1 - NEAR_ONE
    found = float(np.abs(given - expected)[compared].max(initial=0.0))
    if not found <= TOLERANCE:
        raise HeadstartError(
            f"internal error: {program} gives probabilities that differ by {found:.2g} from the corrected ones; please "
            "report it"
        )
    return found
