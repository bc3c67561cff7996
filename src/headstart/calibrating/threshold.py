"""The threshold of a run that is calibrated: chosen again by its own rule, on the new items.

It was chosen on probabilities that the new run no longer gives. Legend: N items, C outputs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.calibrating.items import KnownItems
from headstart.evidence.threshold_rule import ThresholdRule
from headstart.runs.decision import Decision
from headstart.tasks.threshold import Threshold


def chosen_again(
    old: Decision | None, known: KnownItems, outputs_NC: NDArray[np.floating]
) -> Decision | None:
    """The threshold of the new run; None if the old one has none, or none can be chosen on these items.

    Args:
        old: of the run that was calibrated.
        known: N items with their labels.
        outputs_NC: corrected probabilities, each by a correction that was fitted without the item.
    """
    if old is None:
        return None
    rule = ThresholdRule.parse(f"{old.threshold.name}:{old.rule}")
    positive = known.targets.has(known.codes, rule.name)
    value = rule.chosen(positive, outputs_NC[:, known.targets.classes.index(rule.name)])
    if value is None:
        return None
    n_of_class = known.units.count(np.flatnonzero(positive))
    return Decision.by(rule, value, "labelled items, cross-validated", len(known), n_of_class)


def note_on(old: Decision | None, new: Decision | None, answered_by: Threshold | None) -> tuple[str, ...]:
    """What became of the threshold, in a sentence; () for a run without one.

    Args:
        old: of the run that was calibrated.
        new: of the new run.
        answered_by: by which the old run answers, as its head.json says.
    """
    if old is None and answered_by is not None:
        return (
            f"The run answers by a threshold ('{answered_by.name}' from {answered_by.value:.3g} on), but its "
            "metrics.json does not say what for, so that none could be chosen again: the new run "
            "gives the usual answers.",
        )
    if old is None:
        return ()
    if new is None:
        return (
            f"The run's threshold ({old.threshold.name}:{old.rule}) could not be chosen on these items: the new run "
            "gives the usual answers.",
        )
    return (f"The threshold was chosen again: {new.words}",)
