"""What the report of an audit is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from headstart.metrics import Metric, metric_named
from headstart.report.names import Names, short_names
from headstart.report.reported import Reported
from headstart.report.words import letter
from headstart.runs.audit import AuditFacts, Curve, Point, Saved
from headstart.tasks import Task, task_named

_TITLES = {
    "classical": "classical features",
    "random": "random weights",
    "scratch": "training from scratch",
}


@dataclass(frozen=True, eq=False)
class AuditReport(Reported):
    """A finished audit, for its page and for the terminal.

    Attributes:
        audit: what was found.
        next_command: fits the source; "" if that is no advice.
    """

    audit: AuditFacts
    next_command: str = ""

    @property
    def metric(self) -> Metric:
        """The metric of every score."""
        return metric_named(self.audit.metric)

    @property
    def task(self) -> Task:
        """What is learned."""
        return task_named(self.record.task)

    @cached_property
    def sources(self) -> Names:
        """Short names of the sources."""
        return Names(
            short_names([each.name for each in self.audit.curves if each.role in ("transfer", "source")])
        )

    @cached_property
    def names(self) -> Names:
        """What each method is called in tables and drawings; the source is "transfer" if it is the only one."""
        curves = self.audit.curves
        titles = {**_TITLES, "majority": self.task.words.constant[0].lower()}
        if len(self.sources.short) == 1:
            titles["transfer"] = "transfer"
        roles = {each.name: titles[each.role] for each in curves if each.role in titles}
        return Names({**self.sources.short, **roles})

    @cached_property
    def letters(self) -> dict[str, str]:
        """A letter per method by its name in full, by which drawings and narrow tables name it."""
        return {each.name: letter(place) for place, each in enumerate(self.audit.curves)}

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The class of each method, which gives its colour: its role, with a number for other sources."""
        sources = [each.name for each in self.audit.curves if each.role == "source"]
        return {
            each.name: f"source-{sources.index(each.name) % 3}" if each.role == "source" else each.role
            for each in self.audit.curves
        }

    @property
    def leading_saved(self) -> Saved | None:
        """What is saved against the baseline of the verdict, else against the best one; None if nothing was found."""
        audit, sign = self.audit, 1 if self.metric.better == "higher" else -1
        if audit.final.against in audit.saved:
            return audit.saved[audit.final.against]
        return max(audit.saved.values(), key=lambda each: sign * each.level, default=None)


def point_at(curve: Curve, n_labels: int) -> Point | None:
    """What a method reaches with a number of labels; None if that was not measured."""
    return next((point for point in curve.points if point.n_labels == n_labels), None)
