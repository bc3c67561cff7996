"""The first section: what was gained, by which method, what to know before trusting it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headstart.report.background import checks_notice
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.pages.adapt.words import gain_words
from headstart.report.shell import Notice, ScoreCard, Section, in_order
from headstart.report.words import difference, points


@dataclass(frozen=True)
class Result:
    """What the first section shows."""

    title: str
    rest: str
    outcome: str
    why: str
    what: str
    cards: Sequence[ScoreCard]
    next_command: str
    notices: Sequence[Notice]


def result_section(report: AdaptReport) -> Section:
    """The first section of the page."""
    found = report.found
    title, _, rest = found.sentence.partition(": ")
    outcome = report.record.verdict.outcome if report.record.verdict else "undecided"
    content = Result(
        title,
        rest[:1].upper() + rest[1:],
        outcome,
        found.reason,
        _what(report),
        tuple(_cards(report)),
        report.next_command,
        in_order([*(Notice("warning", "", text) for text in found.warnings), *checks_notice(report)]),
    )
    return Section("result", "Adaptation", "adapt/result.html.j2", content)


def _what(report: AdaptReport) -> str:
    found = report.found
    scored = (
        f" {report.counted(found.n_scored)} with known labels score it; no choice used them."
        if report.is_scored
        else ""
    )
    return (
        f"Learned from {report.counted(found.n_source)} of {found.names[0]}, adapted on "
        f"{report.counted(found.n_adapted)} of {found.names[1]} without labels.{scored}"
    )


def _cards(report: AdaptReport) -> Iterator[ScoreCard]:
    found, test = report.found, report.record.test or {}
    if report.metric.key in test:
        yield ScoreCard.of(report.metric.key, test[report.metric.key])
    if "balanced_accuracy" in test:
        yield ScoreCard.of("balanced_accuracy", test["balanced_accuracy"])
    row = found.returned
    if gain_words(report, row) and row.gain is not None and row.gain.value is not None:
        ends = difference(row.gain, report.metric.key)
        yield ScoreCard(
            "Gain over source only",
            points(row.gain.value, report.metric.key),
            f"95% interval {ends}" if ends else "",
            "the same items, answered without adaptation",
            False,
            row.gain.missing(grouped=report.data.group is not None),
        )
    if found.ceiling is not None:
        card = ScoreCard.of(report.metric.key, found.ceiling)
        yield ScoreCard(
            "Ceiling", card.value, card.interval, "a head learned from the target's own labels", False
        )
