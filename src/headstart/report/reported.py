"""What the report of every kind of run is made from: its record, and facts that only the report shows."""

from __future__ import annotations

from dataclasses import dataclass

from headstart import units
from headstart.runs import DataFacts, Record, RunFacts


@dataclass(frozen=True, eq=False)
class Reported:
    """A finished run.

    Attributes:
        record: the content of metrics.json.
        facts: how the run was made, and from which data.
    """

    record: Record
    facts: RunFacts

    @property
    def data(self) -> DataFacts:
        """The data set."""
        if self.record.data is None:
            raise ValueError("a report needs a record with data")
        return self.record.data

    def counted(self, n_items: int) -> str:
        """A count with the noun of the modality: "535 recordings"."""
        return units.counted(n_items, units.UNITS[self.data.modality])
