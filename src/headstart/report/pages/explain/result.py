"""The first section: the deletion test, and what it says about the explanations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.files import name_of
from headstart.report.charts import Falls, falls
from headstart.report.pages.explain.items import CALLED
from headstart.report.pages.explain.report import ExplainReport
from headstart.report.shell import Notice, ScoreCard, Section, Table, VerdictWords, in_order
from headstart.report.words import difference, number, points

NAMED, RANDOM = "named first", "random"
_VERDICTS = {
    "informative": (
        "positive",
        "The explanations carry information",
        "What they name matters more to the run than as many parts drawn at random, beyond chance.",
    ),
    "none": (
        "undecided",
        "It is not shown that the explanations carry information",
        "Removing what they name changes the answers no more than removing as many random parts, as far as these items "
        "can tell. Explain more of them, or read nothing into the colours.",
    ),
    "misleading": (
        "negative",
        "The explanations mislead",
        "Removing what they name changes the answers less than removing as many random parts.",
    ),
    "": (
        "undecided",
        "Whether the explanations carry information is not known",
        "Explain more items: the test compares their mean with chance.",
    ),
}


@dataclass(frozen=True)
class Result:
    """What the first section shows."""

    run: str
    data: str
    headline: ScoreCard
    title: str
    chart: Falls
    table: Table
    verdict: VerdictWords
    notices: Sequence[Notice]


def result_section(report: ExplainReport) -> Section:
    """The first section of the page."""
    found, key = report.found, report.key
    deletion = found.deletion
    lines = ((NAMED, "first", deletion.explained), (RANDOM, "random", deletion.random))
    what = "probability" if report.has_classes else "value"
    rows = [
        (f"{100 * share:.0f}%", number(first, key), number(second, key))
        for share, first, second in zip(deletion.shares, deletion.explained, deletion.random, strict=True)
    ]
    title = f"Mean {what} while {CALLED[report.data.modality]} are removed"
    columns = (("Removed", False), ("Named first", True), (f"Random, {deletion.n_orders} orders", True))
    content = Result(
        found.run,
        name_of(report.data.name),
        _headline(report, what),
        title,
        falls(deletion.shares, lines, key),
        Table(title, columns, tuple(rows)),
        VerdictWords(*_VERDICTS[deletion.outcome]),
        notices(report),
    )
    return Section("result", "Explanations", "explain/result.html.j2", content)


def _headline(report: ExplainReport, what: str) -> ScoreCard:
    """The gain of the deletion test, in large digits."""
    gain, key = report.found.deletion.gain, report.key
    hint = (
        f"how much lower the mean {what} is if the {CALLED[report.data.modality]} that the explanations name are "
        f"removed first, and not random ones; mean of {report.counted(len(report.items))}"
    )
    value = points(float(gain), key).removesuffix(" points").removesuffix(" point")
    return ScoreCard(
        "Gain in the deletion test" + (", in points" if report.has_classes else ""),
        value,
        difference(gain, key),
        hint,
        False,
        gain.missing(grouped=False),
    )


def notices(report: ExplainReport) -> tuple[Notice, ...]:
    """What to know before trusting the explanations, the most serious first."""
    return in_order(
        [
            *(Notice("warning", "", text) for text in report.found.warnings),
            *(Notice("note", "", text) for text in report.found.notes),
        ]
    )
