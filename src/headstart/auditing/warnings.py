"""What a reader must know before trusting an audit."""

from __future__ import annotations

from headstart.auditing.draws import Draws
from headstart.evidence.verdict import LEAST_ITEMS
from headstart.metrics.spread import LEAST_UNITS
from headstart.runs.audit import AuditFacts
from headstart.units import counted

_FEW_UNITS = 20


def warnings(facts: AuditFacts, draws: Draws, *, grouped: bool) -> list[str]:
    """Warnings, the most important first.

    Args:
        facts: of the audit.
        draws: of the training items.
        grouped: whether items come in groups.
    """
    found, what = [], "groups" if grouped else "different items"
    if facts.n_held_out < LEAST_ITEMS or facts.n_units < LEAST_UNITS:
        found.append(
            f"The held-out part is too small to decide anything: {counted(facts.n_held_out, 'items')} in "
            f"{facts.n_units} {what}; {LEAST_ITEMS} items in {LEAST_UNITS} {what} are the least, and differences of a "
            "few points need hundreds."
        )
    elif facts.n_units < _FEW_UNITS:
        found.append(
            f"The held-out part holds {facts.n_units} {what}: only large differences can be told from chance."
        )
    if facts.n_seeds == 1:
        found.append(
            "One seed: the numbers hold for one draw of the training items, and another draw may differ by more than "
            "the intervals say. Use --seeds 5."
        )
    for size, why in draws.left_out.items():
        found.append(f"{counted(size, 'labels')} could not be drawn: {why}.")
    for curve in facts.curves:
        for point in curve.points:
            if point.why and curve.role != "scratch":
                found.append(f"{curve.name} with {counted(point.n_labels, 'labels')}: {point.why}")
    return found
