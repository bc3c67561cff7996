"""What a reader must know before trusting an audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headstart.auditing.curves import seeds_of
from headstart.auditing.draws import Draws
from headstart.auditing.sentence import difference_words, method_words
from headstart.auditing.work import Measured
from headstart.evidence.verdict import LEAST_ITEMS
from headstart.metrics.spread import LEAST_UNITS
from headstart.runs.audit import AuditFacts, SeenBySource
from headstart.units import agreeing, counted

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
    small = too_small(facts.n_held_out, facts.n_units, grouped=grouped)
    if small:
        found.append(small)
    elif facts.n_units < _FEW_UNITS:
        found.append(
            f"The held-out part holds {facts.n_units} {what}: only large differences can be told from chance."
        )
    if facts.seen is not None and facts.seen.n_seen:
        found.append(_seen(facts, facts.seen))
    if facts.n_seeds == 2:
        found.append("Two seeds say little about how much draws of the training items differ. Use --seeds 5.")
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


def too_small(n_items: int, n_units: int, *, grouped: bool) -> str:
    """That the held-out part cannot decide anything, and what to do; "" if it can.

    Args:
        n_items: held-out items.
        n_units: how many of them are independent.
        grouped: whether items come in groups.
    """
    if n_items >= LEAST_ITEMS and n_units >= LEAST_UNITS:
        return ""
    what = "groups" if grouped else "different items"
    return (
        f"The held-out part is too small to decide anything: {counted(n_items, 'items')} in {n_units} {what}; "
        f"{LEAST_ITEMS} items in {LEAST_UNITS} {what} are the least, and differences of a few points need hundreds. "
        "Hold out more with a split column, or use headstart fit --folds 5, which measures every item."
    )


def _seen(facts: AuditFacts, seen: SeenBySource) -> str:
    """That the gain may be memory, and what it is without the items that the source has seen."""
    without = ""
    if seen.gain is not None and seen.gain.value is not None:
        words = difference_words(facts.metric, replace(facts.final, gain=seen.gain))
        without = f" Without {agreeing(seen.n_seen, 'it', 'them')}: {words}."
    return (
        f"The source has seen {seen.n_seen:,} of {counted(facts.n_held_out, 'held-out items')} in its own training "
        f"data ({seen.name}): the gain may be memory.{without}"
    )


def _missing(measured: Measured, draws: Draws) -> list[str]:
    """Which points of a curve are missing, or rest on fewer draws, and why."""
    done = {size: len(seeds_of(measured, size)) for size in draws.sizes}
    short = [size for size, n_seeds in done.items() if n_seeds < draws.n_seeds]
    if not short:
        return []
    counts = ", ".join(f"{done[size]} of {draws.n_seeds} with {counted(size, 'labels')}" for size in short)
    if not any(done.values()):
        counts = f"none of {draws.n_seeds * len(draws.sizes)}"
    whys = {cell.why for cell in measured.cells.values() if cell.why} or {measured.note}
    name = method_words(measured.method.name)
    return [f"Fewer draws of {name} ({counts}): {'; '.join(sorted(whys))}."]
