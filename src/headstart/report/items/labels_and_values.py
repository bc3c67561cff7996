"""How good the model is per label, and how large the errors of a quantity are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from headstart.metrics import LabelRow, label_rows
from headstart.report.charts import Scatter, scatter
from headstart.report.items.report import MeasuredReport
from headstart.report.shell import Section


@dataclass(frozen=True)
class LabelScores:
    """One label: its scores and how many items it was learned from."""

    scores: LabelRow
    n_train: int | None


@dataclass(frozen=True)
class Values:
    """Predicted over true values of the target."""

    target: str
    chart: Scatter


def labels_section(report: MeasuredReport) -> Iterator[Section]:
    """The section, if an item may have any number of labels."""
    held_out = report.held_out
    if not report.targets.task.many_per_item or not len(held_out):
        return
    rows = label_rows(held_out.codes, held_out.outputs, report.facts.classes)
    content = [LabelScores(row, report.n_trained_on(row.name)) for row in rows]
    yield Section("labels", "Label by label", "items/labels.html.j2", content, _extremes(rows))


def _extremes(rows: list[LabelRow]) -> str:
    scored = [(row.average_precision, row.name) for row in rows if row.average_precision is not None]
    if not scored:
        return ""
    best, worst = (pick(scored, key=lambda pair: pair[0]) for pick in (max, min))
    return (
        f"Best recognised: {best[1]} (average precision {best[0]:.2f}); worst: {worst[1]} ({worst[0]:.2f})."
    )


def values_section(report: MeasuredReport) -> Iterator[Section]:
    """The section, if the target is a quantity."""
    held_out = report.held_out
    if report.targets.task.has_classes or not len(held_out):
        return
    truth, predicted = held_out.codes[:, 0], held_out.outputs[:, 0]
    half, most = (float(v) for v in np.quantile(np.abs(predicted - truth), [0.5, 0.9]))
    deck = f"Half of the held-out values are predicted within {half:.3g}, nine of ten within {most:.3g}."
    content = Values(report.data.target, scatter(truth, predicted))
    yield Section("values", "Predicted against true", "items/values.html.j2", content, deck)
