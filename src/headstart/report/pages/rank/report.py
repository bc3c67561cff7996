"""What the report of a ranking is made from."""

from __future__ import annotations

from dataclasses import dataclass

from headstart import units
from headstart.metrics import metric_named
from headstart.runs import DataFacts, Record, RunFacts
from headstart.runs.ranking import RankingFacts


@dataclass(frozen=True)
class RankReport:
    """A finished ranking, for its page and for the terminal.

    Attributes:
        record: the content of metrics.json.
        facts: folder, command, parts of the data, environment.
        ranking: what was found.
        next_command: fits the first source.
    """

    record: Record
    facts: RunFacts
    ranking: RankingFacts
    next_command: str = ""

    @property
    def data(self) -> DataFacts:
        """The data set."""
        if self.record.data is None:
            raise ValueError("the report of a ranking needs a record with data")
        return self.record.data

    @property
    def label(self) -> str:
        """The metric that is predicted, for a reader."""
        return metric_named(self.ranking.metric).label

    def counted(self, n_items: int) -> str:
        """A count with the noun of the modality: "535 recordings"."""
        return units.counted(n_items, units.UNITS[self.data.modality])
