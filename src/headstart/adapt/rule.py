"""When another method takes the place of source only: the choice among a few candidates without target labels.

Source only is kept unless a candidate is ahead of it on the selector

1. by more than a margin: what a selector shows is not quite what counts, so a small lead says nothing;
2. if the score is a mean over source items, by more than the largest lead of all candidates has by chance in 5% of
   cases, from paired differences of the items (max-t, see `metrics.simultaneous`). A share moves in steps of one item,
   so one item is taken off the lead (the continuity correction of McNemar's test; Edwards 1948). With fewer than
   `LEAST_UNITS` units nothing is ahead;
3. and no other selector that is given puts it behind source only.

Of the candidates left, the one with the highest score is taken.

Legend: N source items, K candidates besides source only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float
from headstart.adapt.selectors.selector import Measured, Selector
from headstart.metrics.simultaneous import bound
from headstart.metrics.spread import standard_errors, unit_numbers

LEVEL = 0.05  # probability, one-sided, that a lead of any candidate is more than chance where none is ahead
LEAST_UNITS = 5


@dataclass(frozen=True)
class Decision:
    """The method taken.

    Attributes:
        index: of the method taken; 0 is source only.
        best: of the candidate with the highest score; 0 if there is no candidate with a finite score.
        lead: of that candidate over source only, in units of the selector; 0 if there is none.
        margin: what the lead had to exceed.
        chance: what it had to exceed besides, to be more than chance; None: the score is not a mean over items.
        reason: one sentence for a reader.
    """

    index: int
    best: int
    lead: float
    margin: float
    chance: float | None
    reason: str

    @property
    def replaces(self) -> bool:
        """Whether another method takes the place of source only."""
        return self.index > 0


def decide(
    selector: Selector,
    names: Sequence[str],
    measured: Sequence[Measured],
    *,
    margin: float,
    units: NDArray[Any] | None = None,
    others: Mapping[str, Sequence[float]] | None = None,
) -> Decision:
    """Choose between source only and candidates.

    Args:
        selector: what measured them.
        names: of source only, then of the K candidates, for a reader.
        measured: what it found, in this order. A score that is not finite is never taken.
        margin: in units of the selector, at least 0.
        units: of the source items, of shape (N,): items of one unit are not independent; None: every item is a unit of
            its own.
        others: scores of other selectors, in the same order, each under its selector's label for a reader.
    """
    scores = np.array([found.score for found in measured])
    leads_K = np.where(np.isfinite(scores[1:]), scores[1:] - scores[0], -np.inf)
    if not np.isfinite(leads_K).any():
        return Decision(0, 0, 0.0, margin, None, f"{names[0]} is kept: no other method could be scored.")
    chance_K = _chance(measured, units, step=1.0 if selector.is_share else 0.0)
    best = int(np.argmax(leads_K))
    ahead_K = (leads_K > margin) & (leads_K > (0.0 if chance_K is None else chance_K))
    vetoes = [_veto(k + 1, others or {}) for k in range(len(leads_K))]
    left_K = np.where(ahead_K & np.array([veto is None for veto in vetoes]), leads_K, -np.inf)
    taken = int(np.argmax(left_K)) + 1 if np.isfinite(left_K).any() else 0
    chance = None if chance_K is None else float(chance_K[best])
    lead = float(leads_K[best])
    reason = _reason(selector, names, taken, best + 1, leads_K, margin, chance_K, vetoes)
    return Decision(taken, best + 1, lead, margin, chance, reason)


def _chance(measured: Sequence[Measured], units: NDArray[Any] | None, step: float) -> Float | None:
    """Return the lead of each candidate that is exceeded by chance, of shape (K,); None: there are no items."""
    items = [found.items_N for found in measured if found.items_N is not None]
    if len(items) < len(measured):
        return None
    items_NK = np.stack(items, axis=1)
    difference_NK = items_NK[:, 1:] - items_NK[:, :1]
    if unit_numbers(units, len(items_NK))[1] < LEAST_UNITS:
        return np.full(difference_NK.shape[1], np.inf)
    finite_K = np.asarray(np.isfinite(difference_NK).all(axis=0))
    limit = bound(difference_NK[:, finite_K], units, level=LEVEL)
    errors_K = np.full(len(finite_K), np.inf)
    errors_K[finite_K] = standard_errors(difference_NK[:, finite_K], units)
    return np.asarray(limit * errors_K + step / len(items_NK))


def _veto(index: int, others: Mapping[str, Sequence[float]]) -> str | None:
    """Return the selector that puts a candidate behind source only, if any."""
    return next((label for label, scores in others.items() if not scores[index] >= scores[0]), None)


def _reason(
    selector: Selector,
    names: Sequence[str],
    taken: int,
    best: int,
    leads_K: Float,
    margin: float,
    chance_K: Float | None,
    vetoes: Sequence[str | None],
) -> str:
    """Say what was taken and why."""
    told, shown = selector.told, taken or best
    lead = float(leads_K[shown - 1])
    chance = None if chance_K is None else float(chance_K[shown - 1])
    by_chance = (
        "" if chance is None or not np.isfinite(chance) else f" and than chance explains ({told(chance)})"
    )
    if taken:
        return (
            f"{names[taken]} takes the place of {names[0]}: its {selector.label} is {told(lead)} higher, more than the "
            f"margin ({told(margin)}){by_chance}."
        )
    start = f"{names[0]} is kept: "
    if lead <= 0:
        return f"{start}no other method has a higher {selector.label}."
    best_is = f"the best other method, {names[best]}, has a {selector.label} only {told(lead)} higher, "
    if lead <= margin:
        return f"{start}{best_is}not more than the margin ({told(margin)})."
    if chance is not None and not np.isfinite(chance):
        return f"{start}there are too few independent source items to tell whether {names[best]} is better."
    if chance is not None and lead <= chance:
        return f"{start}{best_is}not more than chance explains ({told(chance)})."
    return f"{start}{names[best]} has a {selector.label} {told(lead)} higher, but {vetoes[best - 1]} puts it behind."
