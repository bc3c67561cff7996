"""What a reader must know before trusting an audit."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.auditing.curves import seeds_of
from headstart.auditing.draws import Draws
from headstart.auditing.work import Measured
from headstart.evidence.verdict import LEAST_ITEMS
from headstart.metrics.spread import LEAST_UNITS
from headstart.runs.audit import AuditFacts
from headstart.units import counted

_FEW_UNITS = 20


def warnings(facts: AuditFacts, draws: Draws, measured: Sequence[Measured], *, grouped: bool) -> list[str]:
    """Warnings, the most important first.

    Args:
        facts: of the audit.
        draws: of the training items.
        measured: every method with its cells.
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
    for each in measured:
        found += _missing(each, draws)
    return found


def _missing(measured: Measured, draws: Draws) -> list[str]:
    """Which points of a curve are missing, or rest on fewer draws, and why."""
    done = {size: len(seeds_of(measured, size)) for size in draws.sizes}
    short = [size for size, n_seeds in done.items() if n_seeds < draws.n_seeds]
    if not short:
        return []
    counts = ", ".join(f"{done[size]} of {draws.n_seeds} with {counted(size, 'labels')}" for size in short)
    whys = {cell.why for cell in measured.cells.values() if cell.why} or {measured.note}
    return [f"{measured.method.name} was measured on fewer draws ({counts}): {'; '.join(sorted(whys))}."]
