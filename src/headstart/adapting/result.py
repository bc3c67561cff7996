"""`Adaptation`: what `adapt` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headstart.runs.adaptation import AdaptationFacts
from headstart.runs.run import Run

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Adaptation(Run):
    """A finished adaptation: a run that predicts items of the target.

    Attributes:
        facts: what was found.
    """

    facts: AdaptationFacts = field(repr=False)

    @property
    def method(self) -> str:
        """The method that was returned; "none" for source only."""
        return self.facts.method

    @property
    def table(self) -> pandas.DataFrame:
        """One row per method, with the columns of methods.csv."""
        import pandas

        return pandas.DataFrame(rows(self.facts))


def rows(facts: AdaptationFacts) -> list[dict[str, Any]]:
    """One row per method, source only first: the columns of methods.csv."""
    names = list(dict.fromkeys(name for row in facts.methods for name in row.scores))
    found = []
    for row in facts.methods:
        truth, gain = row.truth, row.gain
        found.append(
            {
                "method": row.name,
                "label": row.label,
                "returned": row.name == facts.method,
                **{name: row.scores.get(name) for name in names},
                "seconds": row.seconds,
                "answers_as_source_only": row.agreement,
                facts.metric: None if truth is None else truth.value,
                "low": None if truth is None else truth.low,
                "high": None if truth is None else truth.high,
                "gain": None if gain is None else gain.value,
                "gain_low": None if gain is None else gain.low,
                "gain_high": None if gain is None else gain.high,
                "note": row.note,
            }
        )
    return found
