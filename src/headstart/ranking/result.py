"""`Ranking`: what `rank` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headstart.runs.finished import Finished
from headstart.runs.ranking import RankingFacts

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Ranking(Finished):
    """A finished ranking.

    Attributes:
        facts: what was found.
    """

    facts: RankingFacts = field(repr=False)

    @property
    def best(self) -> str:
        """The source that the advice names: the first, or the fastest if none can be told apart."""
        advised = self.facts.advised_source
        return advised.uri or advised.name

    @property
    def best_arch(self) -> str | None:
        """The option `arch` that `best` needs: `headstart.fit(data, ranking.best, arch=ranking.best_arch)`."""
        return self.facts.advised_source.arch

    @property
    def table(self) -> pandas.DataFrame:
        """One row per source and baseline, the best first, with the columns of ranking.csv."""
        import pandas

        return pandas.DataFrame(rows(self.facts))


class RankingStopped(KeyboardInterrupt):
    """Ctrl-C, after some sources were ranked; what was ranked is written.

    Attributes:
        ranking: the sources that were reached.
    """

    def __init__(self, ranking: Ranking) -> None:
        super().__init__()
        self.ranking = ranking


def rows(facts: RankingFacts) -> list[dict[str, Any]]:
    """One row per source and baseline, the best first: the columns of ranking.csv."""
    names = list(dict.fromkeys(name for each in facts.ranked for name in each.scores))
    return [
        {
            "source": each.name,
            "arch": each.arch,
            "role": each.role,
            "place_first": each.places[0],
            "place_last": each.places[1],
            "predicted": each.predicted.value,
            "low": each.predicted.low,
            "high": each.predicted.high,
            "difference": each.difference.value,
            "difference_low": each.difference.low,
            "difference_high": each.difference.high,
            "stages": " + ".join(each.stages),
            "advised_cut": each.advised_cut,
            "ms_per_item": each.milliseconds,
            "megabytes": each.megabytes,
            "pretrained_on": each.upstream,
            "not_better_than": "; ".join(each.not_better_than),
            "clearly_worse_than": "; ".join(name for name, clear in each.not_better_than.items() if clear),
            "same_as": "; ".join(each.same_as),
            **{name: each.scores.get(name) for name in names},
        }
        for each in facts.ranked
    ]
