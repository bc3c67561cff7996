"""`Evaluation`: what `evaluate` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headstart.metrics import Interval
from headstart.runs.evaluation import EvaluationFacts
from headstart.runs.finished import Finished

if TYPE_CHECKING:
    import pandas

    from headstart.runs import Predictions


@dataclass(frozen=True)
class Evaluation(Finished):
    """A finished evaluation.

    Attributes:
        facts: what was found.
    """

    facts: EvaluationFacts = field(repr=False)

    @property
    def scores(self) -> dict[str, Interval]:
        """The score of each metric on the new items."""
        return {name: Interval.of(score) for name, score in self.metrics["test"].items()}

    @property
    def table(self) -> pandas.DataFrame:
        """One row per metric, with the columns of scores.csv."""
        import pandas

        return pandas.DataFrame(rows(self.scores, self.facts))

    @property
    def predictions(self) -> Predictions:
        """What the run gives for each item, with its label."""
        from headstart.runs import RunDirectory

        return RunDirectory.open(self.path).predictions()


def rows(scores: Mapping[str, Interval], facts: EvaluationFacts) -> list[dict[str, Any]]:
    """One row per metric: the columns of scores.csv.

    Args:
        scores: on the new items.
        facts: of the evaluation.
    """
    return [
        {
            "metric": name,
            **_ends("", score),
            **_ends("own_", facts.own.get(name)),
            **_ends("change_", facts.change.get(name)),
        }
        for name, score in scores.items()
    ]


def _ends(prefix: str, score: Interval | None) -> dict[str, float | None]:
    found = score or Interval(None)
    value = "value" if not prefix else prefix.rstrip("_")
    return {value: found.value, f"{prefix}low": found.low, f"{prefix}high": found.high}
