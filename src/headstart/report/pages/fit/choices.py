"""What was chosen and trained, and from what: the depth profile, the race, the stages, the learning history."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.metrics import Interval
from headstart.report.charts import (
    Curves,
    Depth,
    RateCurve,
    Scale,
    Whisker,
    curves,
    depth,
    rate_curve,
    whisker,
)
from headstart.report.pages.fit.report import FitReport
from headstart.report.pages.fit.words import answers, chosen_by, counted_label, is_classical
from headstart.report.shell import Section, Table
from headstart.report.words import duration, is_percent, lowered, number


@dataclass(frozen=True)
class DepthProfile:
    """The score of a cheap head at every stage."""

    metric: str
    chart: Depth
    table: Table
    intervals: str


def depth_section(report: FitReport) -> Iterator[Section]:
    """The section, if there are stages to compare."""
    if len(report.profile) < 2:
        return
    key = chosen_by(report)
    scores = [
        (row.stage, Interval.of({"value": row.score, "low": row.low, "high": row.high}))
        for row in report.profile
    ]
    chart, metric = depth(scores, report.head_stages, key), counted_label(report, key)
    columns = (("Stage", False), (metric, True), ("95% interval", True), ("Read by the head", False))
    rows = tuple(
        (dot.stage, dot.value, dot.interval or "none", "yes" if dot.chosen else "") for dot in chart.dots
    )
    few = f"no intervals: too few {_units(report)}"
    shown = "line: 95% interval" if any(dot.interval for dot in chart.dots) else few
    content = DepthProfile(metric, chart, Table("Depth profile", columns, rows), shown)
    yield Section("depth", "Depth profile", "fit/depth.html.j2", content, _depth_takeaway(report, key))


def _units(report: FitReport) -> str:
    return "independent groups" if report.data.group else "different items"


def _depth_takeaway(report: FitReport, key: str) -> str:
    best, last = max(report.profile, key=lambda row: (row.score, row.index)), report.profile[-1]
    task, expected = report.targets.task, report.record.extra.get("cross_validated", {}).get("expected")
    what = answers(report.data.target)[0] if task.one_per_item else report.data.target
    lead = (
        f"{best.stage} reads the {'labels' if task.many_per_item else what} best ({number(best.score, key)})"
    )
    if best is last:
        return f"{lead}: the last stage, the usual choice, is right here."
    selected = f"The best of {len(report.profile)} scores is high by chance"
    if expected is not None:
        selected += f": expect {number(expected['value'], key)} of the head chosen"
    if math.isnan(best.low):
        found = f"the last stage, the usual choice, scores {number(last.score, key)}"
        return f"{lead}; {found}: too few {_units(report)} to tell which is better. {selected}."
    if not last.score < best.low:
        return f"{lead}; the last stage, the usual choice, is as good within the interval. {selected}."
    lost = best.score - last.score
    amount = f"{100 * lost:.1f} points" if is_percent(key) else f"{lost:.3f}"
    return f"{lead}; the last stage, the usual choice, scores {amount} lower. {selected}."


@dataclass(frozen=True)
class Tried:
    """One candidate of a race."""

    name: str
    note: str
    value: str
    seconds: str
    chosen: bool
    mark: Whisker | None


@dataclass(frozen=True)
class Candidates:
    """What a race tried, scored on validation."""

    metric: str
    rows: Sequence[Tried]


def candidates_section(report: FitReport) -> Iterator[Section]:
    """The section, if there was a race."""
    if not report.candidates:
        return
    key = report.quality
    scores = [Interval(each.accuracy) for each in report.candidates]
    scale = Scale.of_scores(scores, key)
    rows = [
        Tried(
            each.name,
            each.why,
            "not scored" if score.value is None else number(score.value, key),
            duration(each.seconds),
            each.chosen,
            None if score.value is None else whisker(score, scale),
        )
        for each, score in zip(report.candidates, scores, strict=True)
    ]
    yield Section(
        "candidates",
        "What was tried",
        "fit/candidates.html.j2",
        Candidates(counted_label(report, key), rows),
        f"Scored on validation, never on the held-out part.{_selected(report)}",
    )


def _selected(report: FitReport) -> str:
    """That the best score of many looks is high by chance; "" if nothing was compared."""
    n_looks = max(each.looks or 0 for each in report.candidates)
    if n_looks < 2:
        return ""
    return f" The best of {n_looks} looks at these items was selected: expect less on new ones."


@dataclass(frozen=True)
class Stage:
    """What the policy did to one stage."""

    name: str
    n_parameters: str
    fate: str
    norm: str
    trains: bool


@dataclass(frozen=True)
class Stages:
    """The stages, their relative gradient norms and the rate finder, if they were asked for."""

    rows: Sequence[Stage]
    has_norms: bool
    notes: Sequence[str]
    rates: RateCurve | None
    reason: str


def stages_section(report: FitReport) -> Iterator[Section]:
    """The section, if a stage was trained, also where the head alone was returned."""
    extra = report.record.extra
    norms = extra.get("relative_gradient_norms", {})
    rows = [_stage(row, norms.get("stages", {}).get(row["stage"])) for row in extra.get("stages", ())]
    if not any(row.trains for row in rows if row.name != "head"):
        return
    search = extra.get("rate_search")
    rates = None
    if search is not None and len(search["rates"]) > 1:
        rates = rate_curve(search["rates"], [float(loss) for loss in search["losses"]], search["suggestion"])
    content = Stages(
        rows,
        bool(norms),
        norms.get("notes", ()),
        rates,
        "" if search is None else str(search.get("reason", "")),
    )
    deck = ""
    if not report.trained_stages:
        deck = (
            "This was tried; it was not shown to be better than the head alone, so the network was returned as it "
            "came."
        )
    if is_classical(report):
        deck = "This was tried; classical features were better, and were returned."
    yield Section("stages", "What was trained", "fit/stages.html.j2", content, deck)


def _stage(row: Mapping[str, Any], norm: float | None) -> Stage:
    n_parameters = row["n_parameters"]
    return Stage(
        str(row["stage"]),
        "" if n_parameters is None else f"{n_parameters:,}",
        str(row["fate"]),
        "" if norm is None else f"{norm:.3g}",
        bool(row.get("trains", False)),
    )


@dataclass(frozen=True)
class History:
    """The epochs of a training."""

    loss: Curves | None
    score: Curves | None
    metric: str
    table: Table


def history_section(report: FitReport) -> Iterator[Section]:
    """The section, if the network was trained."""
    rows, key = report.history, report.quality
    if not rows:
        return
    metric, scored = counted_label(report, key), f"validation_{key}"
    losses = [(name, words, _series(rows, name)) for name, words in
              (("train_loss", "training"), ("validation_loss", "validation"))]  # fmt: skip
    content = History(
        curves(losses, "log_loss"),
        curves([("score", "validation", _series(rows, scored))], key),
        metric,
        _history_table(rows, scored, key, metric),
    )
    yield Section(
        "history", "Learning history", "fit/history.html.j2", content, _history_takeaway(report, scored)
    )


def _series(rows: Sequence[Mapping[str, Any]], name: str) -> list[tuple[float, float | None]]:
    return [(row["epoch"], row.get(name)) for row in rows]


def _history_table(rows: Sequence[Mapping[str, Any]], scored: str, key: str, metric: str) -> Table:
    columns = (
        ("Epoch", False),
        ("Training loss", True),
        ("Validation loss", True),
        (metric, True),
        ("Time", True),
    )

    def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
        losses = (row.get("train_loss"), row.get("validation_loss"))
        score, seconds = row.get(scored), row.get("seconds")
        return (
            f"{row['epoch']:g}",
            *("" if loss is None else f"{loss:.3f}" for loss in losses),
            "" if score is None else number(score, key),
            "" if seconds is None else duration(seconds),
        )

    return Table("Learning history", columns, tuple(cells(row) for row in rows))


def _history_takeaway(report: FitReport, scored: str) -> str:
    """Which epoch was kept: the training keeps the one of the lowest validation loss, not of the best score."""
    measured = [row for row in report.history if row.get("validation_loss") is not None]
    if not measured:
        return ""
    kept = min(measured, key=lambda row: row["validation_loss"])
    epoch, score = kept["epoch"], kept.get(scored)
    beside = (
        ""
        if score is None
        else f", with {number(score, report.quality)} {lowered(counted_label(report, report.quality))}"
    )
    when = "before the first epoch" if epoch == 0 else f"after epoch {epoch:g}"
    found = f"The validation loss was lowest {when} ({kept['validation_loss']:.3f}{beside})"
    if not report.trained_stages:
        return f"{found}; {'classical features were' if is_classical(report) else 'the head alone was'} returned."
    return f"{found}; {report.after_training or 'training kept these weights'}."
