"""`Explanations`: what `explain` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headstart.runs.cells import harmless
from headstart.runs.explanation import ExplanationFacts
from headstart.runs.finished import Finished

if TYPE_CHECKING:
    import pandas

    from headstart.explaining.explained import Explained


@dataclass(frozen=True)
class Explanations(Finished):
    """Finished explanations.

    Attributes:
        facts: what was found.
        items: each with its parts, what they add to the output, and its deletion test.
        classes: of the run, in the order of `Explained.outputs`.
    """

    facts: ExplanationFacts = field(repr=False)
    items: Sequence[Explained] = field(repr=False)
    classes: tuple[str, ...] = field(repr=False)

    @property
    def table(self) -> pandas.DataFrame:
        """One row per part of each item, with the columns of explanations.csv."""
        import pandas

        return pandas.DataFrame(rows(self.items, self.classes))


def rows(items: Sequence[Explained], classes: Sequence[str]) -> list[dict[str, Any]]:
    """One row per part of each item: the columns of explanations.csv.

    Args:
        items: that were explained.
        classes: of the run.
    """
    return [
        {
            "item": harmless(each.name),
            "explained": harmless(classes[each.column]),
            "output": float(each.outputs[each.column]),
            "part": part,
            "where": harmless(place),
            "attribution": float(value),
        }
        for each in items
        for part, (place, value) in enumerate(zip(each.parts.places, each.attributions, strict=True))
    ]
