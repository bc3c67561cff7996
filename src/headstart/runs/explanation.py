"""What explaining found: the block `explanation` of metrics.json, and what its report is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from headstart.metrics import Interval

Outcome = Literal["informative", "none", "misleading", ""]


@dataclass(frozen=True)
class DeletionFacts:
    """The deletion test over all explained items.

    Attributes:
        gain: how much lower the mean output is if parts are removed in the order of the explanations, and not in
            random orders; mean of the items.
        outcome: what the interval of the gain says; "": it has none.
        shares: share of the parts that are removed.
        explained: mean output at each share, in the order of the explanations.
        random: the same in random orders.
        n_orders: random orders of each item.
    """

    gain: Interval
    outcome: Outcome
    shares: Sequence[float]
    explained: Sequence[float]
    random: Sequence[float]
    n_orders: int


@dataclass(frozen=True)
class ExplanationFacts:
    """Explanations of a finished run's predictions.

    Attributes:
        run: folder of the run that was explained, as the user named it.
        sentence: the result in one sentence.
        output: the class, label or quantity that was explained; "": the most probable one of each item.
        n_available: items of the data.
        deletion: whether the explanations say something about the run.
        removed: how parts were removed, to explain and to test.
        n_variants: the most variants that an item was explained from.
        warnings: what a reader must know before trusting the explanations.
        notes: what else counts.
    """

    run: str
    sentence: str
    output: str
    n_available: int
    deletion: DeletionFacts
    removed: tuple[str, str]
    n_variants: int
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """The block of metrics.json."""
        return {**asdict(self), "deletion": {**asdict(self.deletion), "gain": self.deletion.gain.to_json()}}
