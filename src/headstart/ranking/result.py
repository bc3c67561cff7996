"""`Ranking`: what `rank` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.runs.ranking import RankingFacts

if TYPE_CHECKING:
    import pandas

COLUMNS = (
    "source",
    "role",
    "place_first",
    "place_last",
    "predicted",
    "low",
    "high",
    "behind",
    "behind_low",
    "behind_high",
    "stages",
    "advised_cut",
    "ms_per_item",
    "megabytes",
    "pretrained_on",
    "worse_than",
    "same_as",
)


@dataclass(frozen=True)
class Ranking:
    """A finished ranking.

    Attributes:
        path: its folder.
        facts: what was found.
        metrics: the content of metrics.json.
        summary: the result as lines of plain text.
    """

    path: Path
    facts: RankingFacts = field(repr=False)
    metrics: dict[str, Any] = field(repr=False)
    summary: str = field(repr=False)

    @property
    def best(self) -> str:
        """The source that the advice names: the first, or the fastest if none can be told apart."""
        return self.facts.advised

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.path / "report.html"

    @property
    def table(self) -> pandas.DataFrame:
        """One row per source and baseline, the best first, with the columns of ranking.csv."""
        import pandas

        return pandas.DataFrame(rows(self.facts), columns=list(COLUMNS))


def rows(facts: RankingFacts) -> list[tuple[Any, ...]]:
    """One row per source and baseline, the best first; the values of `COLUMNS`, then those of the scores."""
    return [
        (
            each.name,
            each.role,
            *each.places,
            each.predicted.value,
            each.predicted.low,
            each.predicted.high,
            each.behind.value,
            each.behind.low,
            each.behind.high,
            " + ".join(each.stages),
            each.advised_cut,
            each.milliseconds,
            each.megabytes,
            each.upstream,
            "; ".join(each.worse_than),
            "; ".join(each.same_as),
        )
        for each in facts.ranked
    ]
