"""The first section: the verdict in one sentence, what is gained and saved, what to know before trusting it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headstart.report.background import checks_notice
from headstart.report.pages.audit.report import AuditReport
from headstart.report.pages.audit.words import (
    Factor,
    as_code,
    labels_factor,
    labels_words,
    needs_words,
    time_factor,
    verdict_words,
)
from headstart.report.shell import Notice, ScoreCard, Section, in_order
from headstart.report.words import difference, lowered, points
from headstart.runs.audit import SizeVerdict
from headstart.units import counted


@dataclass(frozen=True)
class Result:
    """What the first section shows."""

    title: str
    verb: str
    rest: str
    outcome: str
    why: str
    what: str
    needs: str
    cards: Sequence[ScoreCard]
    next_command: str
    notices: Sequence[Notice]


def result_section(report: AuditReport) -> Section:
    """The first section of the page."""
    audit = report.audit
    title, _, why = report.sources.within(audit.sentence).partition(": ")
    verb = {"positive": "helps", "negative": "hurts"}.get(audit.final.outcome, "undecided")
    before, verb, rest = title.partition(verb)
    content = Result(
        before,
        verb,
        rest,
        audit.final.outcome,
        why[:1].upper() + why[1:],
        _what(report),
        as_code(needs_words(audit.final)),
        [*_gained(report), *_saved(report)],
        report.next_command,
        _notices(report),
    )
    return Section("result", "Audit", "audit/result.html.j2", content)


def _what(report: AuditReport) -> str:
    """What was audited: the source, on which data, with how many draws."""
    audit = report.audit
    return (
        f"Transfer from {report.sources[audit.source]} to {report.data.name}, learned from up to "
        f"{report.counted(audit.final.n_labels)} with {counted(audit.n_seeds, 'seeds')}, measured on "
        f"{report.counted(audit.n_held_out)} held out."
    )


def _gained(report: AuditReport) -> Iterator[ScoreCard]:
    """What is gained with the smallest and the largest number of labels."""
    verdicts = report.audit.verdicts
    for verdict in dict.fromkeys((verdicts[0].n_labels, verdicts[-1].n_labels)):
        yield _gain_card(report, next(each for each in verdicts if each.n_labels == verdict))


def _gain_card(report: AuditReport, verdict: SizeVerdict) -> ScoreCard:
    metric, gain = report.metric, verdict.gain
    ends = difference(gain, metric.key)
    over = f" against {report.names[verdict.against]}" if verdict.against else ""
    return ScoreCard(
        f"Gain with {labels_words(report.audit, verdict.n_labels)}",
        "unknown" if gain.value is None else points(gain.value, metric.key),
        f"95% interval {ends}" if ends else "",
        f"{lowered(metric.label)}{over}: {verdict_words(verdict)}",
        metric.better == "lower",
        gain.missing(grouped=report.data.group is not None),
    )


def _saved(report: AuditReport) -> Iterator[ScoreCard]:
    """What is saved against the baseline of the verdict."""
    found = report.leading_saved
    if found is None:
        return
    labels, time = labels_factor(report, found), time_factor(found)
    yield _factor_card("Labels for the same score", labels)
    yield _factor_card("Time for that score", time)


def _factor_card(label: str, found: Factor) -> ScoreCard:
    ends = f"95% interval {found.ends}" if found.ends else ""
    return ScoreCard(label, found.value, ends, found.detail, False, found.why)


def _notices(report: AuditReport) -> tuple[Notice, ...]:
    """Warnings of the audit and of the data checks, the most serious first."""
    audit = report.audit
    return in_order(
        [
            *(Notice("warning", "", as_code(report.sources.within(text))) for text in audit.warnings),
            *checks_notice(report),
            *(Notice("note", "", as_code(report.sources.within(text))) for text in audit.notes),
        ]
    )
