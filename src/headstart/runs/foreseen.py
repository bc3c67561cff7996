"""What a fit foresaw before training, as metrics.json holds it: the head alone beside classical features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from headstart.metrics import Interval

Standing = Literal["worse", "undecided", "better"]


@dataclass(frozen=True)
class Foreseen:
    """The head alone beside classical features, on training items.

    Attributes:
        head_alone, classical: cross-validated quality (`Task.quality`).
        difference: paired, in the metric of the verdict, head alone minus classical features.
        outcome: of the head alone, by that interval.
        n_items: on which both were compared.
    """

    head_alone: float
    classical: float
    difference: Interval
    outcome: Standing
    n_items: int

    @classmethod
    def of_json(cls, block: Mapping[str, Any]) -> Foreseen:
        """The same, from the block `foreseen` of metrics.json."""
        return cls(
            block["head_alone"],
            block["classical"],
            Interval.of(block["difference"]),
            block["outcome"],
            block["n_items"],
        )

    def to_json(self) -> dict[str, Any]:
        """The block of metrics.json."""
        return {
            "head_alone": self.head_alone,
            "classical": self.classical,
            "difference": self.difference.to_json(),
            "outcome": self.outcome,
            "n_items": self.n_items,
        }
