"""What the report of a ranking is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from headstart.metrics import metric_named
from headstart.report.names import Names, short_names
from headstart.report.reported import Reported
from headstart.report.words import letter
from headstart.runs.ranking import Ranked, RankingFacts

BASELINES = {"classical": "classical features", "random": "random weights"}


@dataclass(frozen=True, eq=False)
class RankReport(Reported):
    """A finished ranking, for its page and for the terminal.

    Attributes:
        ranking: what was found.
        next_command: fits the first source.
    """

    ranking: RankingFacts
    next_command: str = ""

    @property
    def metric(self) -> str:
        """Key of the metric that is predicted."""
        return self.ranking.metric

    @property
    def label(self) -> str:
        """The metric that is predicted, for a reader."""
        return metric_named(self.ranking.metric).label

    @property
    def first(self) -> Ranked:
        """The source that came first."""
        return self.ranking.sources[0]

    @cached_property
    def names(self) -> Names:
        """Short names of all rows; sources that were not ranked are told apart from the others too."""
        ranking = self.ranking
        same = [name for each in ranking.ranked for name in each.same_as]
        uris = [each.name for each in ranking.sources]
        short = short_names(list(dict.fromkeys([*uris, *ranking.failed, *same])))
        rows = {each.name: BASELINES[each.role] for each in ranking.ranked if each.role != "source"}
        return Names({**short, **rows})

    @cached_property
    def letters(self) -> dict[str, str]:
        """A letter per row by its name in full, by which drawings name it: A for the first, AA after Z."""
        return {each.name: letter(place) for place, each in enumerate(self.ranking.ranked)}
