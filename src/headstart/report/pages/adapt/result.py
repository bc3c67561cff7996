"""The first section: what was gained, by which method, what to know before trusting it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from headstart.metrics import Interval
from headstart.report.background import checks_notice
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.pages.adapt.shift import said_of_shift, shift_notices
from headstart.report.pages.adapt.words import as_code, sentence_case, to_measure
from headstart.report.shell import Notice, ScoreCard, Section, in_order
from headstart.report.words import difference, lowered, number, points

_UNLIKE = 0.01  # accuracy and balanced accuracy: below it one of them is enough
_VERBS = ("makes no clear difference", "cannot be scored", "changes nothing", "helps", "hurts")


@dataclass(frozen=True)
class Result:
    """What the first section shows; `verb` is the part of the heading that is coloured."""

    before: str
    verb: str
    outcome: str
    rest: str
    why: str
    what: str
    todo: str
    cards: Sequence[ScoreCard]
    next_command: str
    notices: Sequence[Notice]


def result_section(report: AdaptReport) -> Section:
    """The first section of the page."""
    found = report.found
    before, verb, rest = _heading(report)
    content = Result(
        before,
        verb,
        report.outcome or ("kept" if report.is_scored or not report.is_adapted else "undecided"),
        rest,
        as_code(sentence_case(found.reason)),
        _what(report),
        to_measure(report),
        tuple(_cards(report)),
        report.next_command,
        _notices(report),
    )
    return Section("result", "Adaptation", "adapt/result.html.j2", content)


def _heading(report: AdaptReport) -> tuple[str, str, str]:
    """The sentence as a heading, its verb, and what follows the colon; names of domains may hold any text."""
    source, target = report.found.names
    start = f"Adapting from {source} to {target} "
    title, _, rest = report.found.sentence.removeprefix(start).partition(": ")
    verb = next((verb for verb in _VERBS if title.startswith(verb)), title)
    return start, verb, rest[:1].upper() + rest[1:]


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
    found, row, test = report.found, report.found.returned, report.record.test or {}
    target, key, label = found.names[1], report.metric.key, report.metric.label
    if report.is_scored and row.truth is not None:
        yield _card(report, "Score on the target", row.truth, f"{lowered(label)} on {target}")
        balanced = test.get("balanced_accuracy", Interval(None))
        if key == "accuracy" and abs(float(balanced) - float(row.truth)) >= _UNLIKE:
            yield _balanced(report, balanced)
    if report.is_adapted and row.gain is not None and row.gain.value is not None:
        ends = difference(row.gain, key)
        yield ScoreCard(
            "Gain over source only",
            points(row.gain.value, key),
            f"95% interval {ends}" if ends else "",
            "the same items, answered without adaptation",
            False,
            row.gain.missing(grouped=report.data.group is not None),
        )
    if report.is_adapted and not report.is_scored and row.agreement is not None:
        hint = f"of {target} get another answer than with source only"
        yield ScoreCard("Answers that change", f"{100 * (1 - row.agreement):.0f}%", "", hint, False)
    if found.ceiling is not None:
        yield _card(report, "Ceiling", found.ceiling, f"a head learned from the labels of {target}")
    how = "on the run's held-out part" if found.from_run else "by cross-validation"
    hint = f"source only on {found.names[0]}, {how}"
    yield _card(report, "Source domain", found.in_domain, hint)


def _balanced(report: AdaptReport, score: Interval) -> ScoreCard:
    """Balanced accuracy, beside that of source only if something was changed."""
    card = ScoreCard.of("balanced_accuracy", score)
    alone = (report.record.baselines or {}).get("source_only", {}).get("balanced_accuracy")
    if not report.is_adapted or alone is None or alone.value is None:
        return card
    return replace(card, hint=f"{card.hint}; {number(alone.value, 'balanced_accuracy')} with source only")


def _card(report: AdaptReport, label: str, score: Interval, hint: str) -> ScoreCard:
    made = ScoreCard.of(report.metric.key, score, score.missing(grouped=report.data.group is not None))
    value = "unknown" if score.value is None else made.value
    return ScoreCard(label, value, made.interval, hint, made.lower_is_better, made.missing)


def _notices(report: AdaptReport) -> tuple[Notice, ...]:
    """Warnings, the most serious first; what the section on the shift says is not repeated as a note."""
    found, said = report.found, said_of_shift(report)
    return in_order(
        [
            *(Notice("warning", "", as_code(text)) for text in found.warnings),
            *shift_notices(report),
            *checks_notice(report),
            *(Notice("note", "", as_code(text)) for text in found.notes if text not in said),
        ]
    )
