"""The result of a calibration in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.calibrating.choosing import SMALL_GAIN, Choice
from headstart.metrics import Interval
from headstart.report.words import difference, number, points
from headstart.runs.calibration import Outcome
from headstart.units import counted

_KEY = "log_loss"


def sentence(
    name: str,
    outcome: Outcome,
    choice: Choice,
    before: Mapping[str, Interval],
    after: Mapping[str, Interval],
    n_items: int,
    *,
    grouped: bool,
) -> str:
    """Whether the probabilities were corrected, and what that gains; else why not.

    Args:
        name: of the data.
        outcome: of the calibration.
        choice: the correction, if there is one.
        before: scores of the run as it was.
        after: scores with the correction, cross-validated; empty without one.
        n_items: that the correction was fitted to.
        grouped: whether the items are in groups.
    """
    loss, on = number(before[_KEY].value, _KEY), f"{counted(n_items, 'items')} of {name}"
    if choice.chosen is not None:
        change = choice.chosen.change
        return (
            f"The probabilities are corrected by {choice.chosen.words}: on {on} the log loss falls from {loss} to "
            f"{number(after[_KEY].value, _KEY)} (change {points(float(change), _KEY)}, 95% interval "
            f"{difference(change, _KEY)})."
        )
    gain = choice.could_gain
    if outcome == "right":
        return (
            f"The probabilities are right already, as far as {on} tell: a correction would lower the log loss of "
            f"{loss} by at most {number(max(gain or 0.0, 0.001), _KEY)}. No run was written."
        )
    if gain is None:
        why = next(each.change for each in choice.candidates if each.change.low is None).missing(
            grouped=grouped
        )
        return f"Whether the probabilities are right cannot be told from {on}: {why}. No run was written."
    return (
        f"Too few items to tell: no correction is better than none beyond chance on {on}, but one might lower the log "
        f"loss of {loss} by up to {number(gain, _KEY)}, more than {SMALL_GAIN:g}. No run was written: label more items."
    )
