"""`--method auto`: the default for each kind of shift, and when source only is kept.

| what is found | default |
|---|---|
| too few target items, or no shift | source only |
| a language that the encoder does not read | source only |
| class shares differ, alone or too | infomax, classes of equal weight; no alignment |
| another shift, a network with batch norm | each domain's batch-norm statistics, standardised, MCC, rebalanced |
| another shift, another network | each domain standardised, infomax, classes of equal weight |
| the same, and the source's class shares are far from equal | the same, classes of the weight that they have |

The default is fixed before any data is seen, because selectors without target labels choose worse among methods than
one good method is (docs/adapt_results.md). Class shares cannot be told from another shift by the features as they are;
rebalanced, the default finds them well enough where the batch-norm statistics have brought the domains near each
other, and not elsewhere. A selector only vetoes: a default whose circular validation is
behind that of source only by more than `MARGIN` gives way to the next one, in the end to source only. Asking a default
to be ahead beyond chance in place of that costs most of the gains of small sources.

Legend: M target items, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.selectors import CIRCULAR

REBALANCED = "bn+standardise+mcc+rebalanced"
ALIGNED = "standardise+infomax+balanced"
AS_THE_SOURCE = "standardise+infomax"
NOT_ALIGNED = "infomax+balanced"
MARGIN = 0.02  # of circular validation; anything from 0.012 to 0.1 decides alike on the pairs it was tried on
LEAST_PER_CLASS = 3  # target items per class, below which nothing is adapted
UNEQUAL = 0.2  # total variation between the source's class shares and equal ones, above which they are kept


@dataclass(frozen=True)
class Candidates:
    """The methods to try, best first, and why there are none.

    Attributes:
        names: texts of the methods beside source only.
        why: source only is kept; "" if there are methods.
    """

    names: tuple[str, ...]
    why: str = ""


def candidates(
    kind: str | None, *, unread: bool, has_batch_norm: bool, n_target: int, shares_C: NDArray[np.floating]
) -> Candidates:
    """The methods to try beside source only.

    Args:
        kind: of the shift (see `adapt.shift`); None: not known.
        unread: whether the encoder hardly reads one of the domains.
        has_batch_norm: whether each domain can have batch-norm statistics of its own.
        n_target: M, of the items that are adapted on.
        shares_C: of the classes in the source, of shape (C,).
    """
    n_classes = len(shares_C)
    if n_target < LEAST_PER_CLASS * n_classes:
        return Candidates((), f"{n_target} items of the target are too few to adapt to {n_classes} classes")
    if unread:
        return Candidates((), "the encoder hardly reads one of the domains, so no adaptation can be trusted")
    if kind == "none":
        return Candidates((), "no shift between the domains was found")
    if kind in ("label", "both"):
        return Candidates((NOT_ALIGNED,))
    # A shift says nothing of the target's class shares: they are taken to be the source's if these are far from equal.
    is_unequal = float(np.abs(np.asarray(shares_C) - 1 / n_classes).sum() / 2) > UNEQUAL
    aligned = AS_THE_SOURCE if is_unequal else ALIGNED
    return Candidates((REBALANCED, aligned) if has_batch_norm else (aligned,))


@dataclass(frozen=True)
class Choice:
    """The method taken.

    Attributes:
        index: of the method, 0 for source only.
        reason: one sentence for a reader.
    """

    index: int
    reason: str


def choose(names: Sequence[str], scores: Sequence[float]) -> Choice:
    """Take the first candidate that circular validation does not veto.

    Args:
        names: of source only, then of the candidates, best first.
        scores: circular validation of each, in this order; one that is not finite is never taken.
    """
    vetoed: list[str] = []
    for index in range(1, len(names)):
        lead = scores[index] - scores[0]
        if lead >= -MARGIN:
            is_behind = _percent(scores[index]) != _percent(scores[0]) and lead < 0
            allowed = f", which is at most {100 * MARGIN:g} points ahead" if is_behind else ""
            told = (
                f"its {CIRCULAR.label} is {_percent(scores[index])}, that of source only "
                f"{_percent(scores[0])}{allowed}"
            )
            before = f"{' and '.join(vetoed)}; then " if vetoed else ""
            return Choice(index, f"{before}{names[index]}: {told}.")
        vetoed.append(f"{names[index]} is vetoed by its {CIRCULAR.label} ({_percent(scores[index])})")
    why = f": {' and '.join(vetoed)}, {_percent(scores[0])} for source only" if vetoed else ""
    return Choice(0, f"Source only is kept{why}.")


def _percent(score: float) -> str:
    return f"{100 * score:.1f}%"
