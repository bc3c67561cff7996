"""`--method auto`: which methods are tried for a kind of shift, and when one of them takes the place of source only.

| shift | tried beside source only |
|---|---|
| language that the encoder does not read | nothing |
| class shares differ, alone or too | infomax, classes of equal weight; no alignment |
| every other one | the same with each domain standardised; also with its own batch-norm statistics |

The list is short on purpose: a selector without target labels is right about few candidates, and wrong about many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from headstart.adapt.rule import Decision, decide
from headstart.adapt.selectors import CIRCULAR, Measured

ALIGNED = "standardise+infomax+balanced"
NOT_ALIGNED = "infomax+balanced"
MARGIN = 0.02  # of circular validation


def candidates(kind: str | None, *, unread: bool, has_batch_norm: bool) -> tuple[str, ...]:
    """The methods that are tried beside source only, by their texts.

    Args:
        kind: of the shift (see `adapt.shift`); None: not known.
        unread: whether the encoder hardly reads one of the domains.
        has_batch_norm: whether each domain can have batch-norm statistics of its own.
    """
    if unread:
        return ()
    if kind in ("label", "both"):
        return (NOT_ALIGNED,)
    return (ALIGNED, f"bn+{ALIGNED}") if has_batch_norm else (ALIGNED,)


def choose(labels: Sequence[str], measured: Sequence[Measured], units: NDArray[Any] | None) -> Decision:
    """Choose between source only and the candidates.

    Args:
        labels: of source only, then of the candidates, for a reader.
        measured: circular validation of each, in this order.
        units: of the source items; None: every item is a unit of its own.
    """
    return decide(CIRCULAR, labels, measured, margin=MARGIN, units=units)
