"""What the report of an audit is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from headstart.metrics import Metric, metric_named
from headstart.report.pages.rank.names import Names, short_names
from headstart.report.reported import Reported
from headstart.runs.audit import AuditFacts

TITLES = {
    "classical": "classical features",
    "random": "random weights",
    "scratch": "trained from scratch",
    "majority": "most frequent answer",
}


@dataclass(frozen=True, eq=False)
class AuditReport(Reported):
    """A finished audit, for its page and for the terminal.

    Attributes:
        audit: what was found.
    """

    audit: AuditFacts

    @property
    def metric(self) -> Metric:
        """The metric of every score."""
        return metric_named(self.audit.metric)

    @cached_property
    def names(self) -> Names:
        """Short names of all methods."""
        uris = [each.name for each in self.audit.curves if each.role in ("transfer", "source")]
        titles = {each.name: TITLES[each.name] for each in self.audit.curves if each.name in TITLES}
        return Names({**short_names(uris), **titles})
