"""Sentences on a calibration that page and terminal share."""

from __future__ import annotations

from headstart.report.words import difference, points
from headstart.runs.calibration import CalibrationFacts
from headstart.units import agreeing


def answers_words(found: CalibrationFacts) -> str:
    """How many answers change, and what that does to the accuracy.

    Args:
        found: of a calibration that made a correction.
    """
    if not found.biases:
        return "A temperature alone changes no answer." if not found.n_changed else _changed(found)
    return _changed(found)


def _changed(found: CalibrationFacts) -> str:
    n_changed, n_items = found.n_changed, found.n_items
    text = f"{n_changed:,} of {n_items:,} answers {agreeing(n_changed, 'changes', 'change')}"
    change = found.change.get("accuracy")
    if change is None or not n_changed:
        return f"{text}."
    ends = difference(change, "accuracy")
    between = f" (95% interval {ends})" if ends else ""
    return f"{text}: accuracy {points(float(change), 'accuracy')}{between}."
