"""What transfer gains: per number of labels with the verdict, against each baseline, and against other sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from headstart.metrics import Interval
from headstart.report.charts import Gaps, gaps
from headstart.report.pages.audit.report import AuditReport, point_at
from headstart.report.pages.audit.words import (
    as_code,
    gain_words,
    labels_words,
    needs_words,
    p_words,
    verdict_words,
)
from headstart.report.shell import Section, Table
from headstart.report.words import difference, is_percent, listed, lowered, number, points
from headstart.runs.audit import SizeVerdict


@dataclass(frozen=True)
class Gains:
    """Gains per number of labels; `needs` says what would decide those that are undecided."""

    metric: str
    better: str
    chart: Gaps
    badges: Sequence[tuple[str, str]]
    has_intervals: bool
    needs: Sequence[str]


def gains_section(report: AuditReport) -> Iterator[Section]:
    """The section with the gain per number of labels, if there is a baseline."""
    known = [each for each in report.audit.verdicts if each.gain.value is not None]
    if not known:
        return
    key = report.audit.metric
    rows = [
        (
            labels_words(report.audit, each.n_labels),
            f"against {report.names[each.against]}",
            each.gain,
            each.outcome,
        )
        for each in known
    ]
    content = Gains(
        _unit(report),
        "right" if report.metric.better == "higher" else "left",
        gaps(rows, key),
        [(each.outcome, verdict_words(each)) for each in known],
        any(each.gain.low is not None for each in known),
        _needs(report, known),
    )
    yield Section("gain", "What is gained", "audit/gains.html.j2", content, _takeaway(report))


def _needs(report: AuditReport, verdicts: Sequence[SizeVerdict]) -> list[str]:
    """What would decide what is undecided, once for all numbers of labels for which it is the same."""
    found: dict[str, list[str]] = {}
    for each in verdicts:
        if needs := needs_words(each):
            found.setdefault(needs, []).append(f"{each.n_labels:,}")
    return [as_code(f"With {listed(sizes)} labels: {needs}.") for needs, sizes in found.items()]


def _takeaway(report: AuditReport) -> str:
    """With how many labels transfer helps and hurts."""
    found = []
    for outcome, word in (("positive", "helps"), ("negative", "hurts"), ("undecided", "is undecided")):
        sizes = [f"{each.n_labels:,}" for each in report.audit.verdicts if each.outcome == outcome]
        if sizes:
            found.append(f"{word} with {listed(sizes)}")
    return f"Transfer {listed(found)} labels."


@dataclass(frozen=True)
class Differences:
    """Differences from other methods: side by side, and one row each in a table that sorts."""

    unit: str
    has_chosen: bool
    has_intervals: bool
    matrix: Table
    table: Table


def baselines_section(report: AuditReport) -> Iterator[Section]:
    """The section with the difference from each baseline, if there is one."""
    known = [each for each in report.audit.verdicts if each.gains]
    if not known:
        return
    metric, quality = report.metric, report.task.quality_name()
    columns = (
        ("Baseline", False),
        ("In the verdict", False),
        ("Labels", True),
        (f"Transfer minus it, {lowered(metric.label)}", True),
        ("95% interval", True),
        ("Its score on training folds", True),
    )
    rows = tuple(
        (
            report.names[name],
            "yes" if name == each.against else "",
            f"{each.n_labels:,}",
            _difference(gain, metric.key),
            difference(gain, metric.key) or "none",
            _on_folds(report, name, each.n_labels, quality),
        )
        for each in known
        for name, gain in each.gains.items()
    )
    by_size = {each.n_labels: each.gains for each in known}
    table = Table("Differences from each baseline", columns, rows)
    found = Differences(
        _unit(report), True, _any_interval(by_size), _matrix(report, "Baseline", by_size), table
    )
    deck = (
        "The baseline of the verdict is the one that is best by cross-validation on the training items, so that the "
        "held-out items do not choose what they judge. Transfer helps only if it is clearly better than every baseline."
    )
    yield Section("baselines", "Against each baseline", "audit/differences.html.j2", found, deck, "Baselines")


def others_section(report: AuditReport) -> Iterator[Section]:
    """The section with the difference from each other source, if there are any."""
    found = [each for rows in report.audit.others.values() for each in rows]
    if not found:
        return
    metric = report.metric
    columns = (
        ("Other source", False),
        ("Better", False),
        ("Labels", True),
        (f"Transfer minus it, {lowered(metric.label)}", True),
        ("95% interval", True),
        ("p", True),
    )
    rows = tuple(
        (
            report.names[each.against],
            _better(report, each),
            f"{each.n_labels:,}",
            _difference(each.gain, metric.key),
            difference(each.gain, metric.key) or "none",
            p_words(each.p),
        )
        for each in found
    )
    by_size: dict[int, dict[str, Interval]] = {}
    for each in found:
        by_size.setdefault(each.n_labels, {})[each.against] = each.gain
    table = Table("Differences from each other source", columns, rows)
    content = Differences(
        _unit(report), False, _any_interval(by_size), _matrix(report, "Other source", by_size), table
    )
    deck = (
        f"{report.names[report.audit.source]} minus each other source, paired over the same seeds and held-out items; "
        "not corrected for looking at several of them."
    )
    yield Section("others", "Other sources", "audit/differences.html.j2", content, deck)


def _matrix(report: AuditReport, what: str, by_size: Mapping[int, Mapping[str, Interval]]) -> Table:
    """One row per method, one column per number of labels; a star marks the baseline of the verdict."""
    names = list(dict.fromkeys(name for gains in by_size.values() for name in gains))
    chosen = {each.n_labels: each.against for each in report.audit.verdicts}
    columns = ((what, False), *((f"{size:,} labels", True) for size in by_size))
    rows = tuple(
        (
            report.names[name],
            *(
                gain_words(report, gains[name]) + ("*" if chosen.get(size) == name else "")
                if name in gains
                else ""
                for size, gains in by_size.items()
            ),
        )
        for name in names
    )
    return Table("Differences by number of labels", columns, rows)


def _any_interval(by_size: Mapping[int, Mapping[str, Interval]]) -> bool:
    return any(gain.low is not None for gains in by_size.values() for gain in gains.values())


def _unit(report: AuditReport) -> str:
    label = lowered(report.metric.label)
    return f"{label}, in points" if is_percent(report.metric.key) else label


def _better(report: AuditReport, found: SizeVerdict) -> str:
    """Which of two sources is better."""
    if found.outcome == "undecided":
        return "undecided"
    return report.names[report.audit.source if found.outcome == "positive" else found.against]


def _difference(gain: Interval, key: str) -> str:
    """A difference without its unit, so that a column of them sorts."""
    return "none" if gain.value is None else points(gain.value, key).split(" ")[0]


def _on_folds(report: AuditReport, name: str, n_labels: int, quality: str) -> str:
    point = point_at(report.audit.curve(name), n_labels)
    return "" if point is None or point.on_folds is None else number(point.on_folds, quality)
