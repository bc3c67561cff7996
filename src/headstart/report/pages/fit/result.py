"""The first section: what was done, the score and the baselines, the verdict, what to know before trusting them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.metrics import VERIFICATION, Interval, metric_named
from headstart.report.charts import Comparison, comparison
from headstart.report.items.cards import card, leading_card, other_cards
from headstart.report.pages.fit.notices import notices
from headstart.report.pages.fit.report import FitReport
from headstart.report.pages.fit.words import (
    BASELINES,
    CLASSICAL,
    Emphasised,
    held_out,
    learned_from_part,
    sentence_parts,
    verdict,
)
from headstart.report.shell import Notice, ScoreCard, Section, VerdictWords


@dataclass(frozen=True)
class Result:
    """What the first section shows; `headline` is None if the leading score is not defined."""

    sentence: Sequence[Emphasised]
    title: str
    headline: ScoreCard | None
    held_out: str
    comparison: Comparison
    verdict: VerdictWords | None
    notices: Sequence[Notice]
    cards: Sequence[ScoreCard]
    verification: Sequence[ScoreCard]


def result_section(report: FitReport) -> Section:
    """The first section of the page."""
    headline = leading_card(report)
    spoken = [(key, report.verification(key)) for key in VERIFICATION]
    content = Result(
        sentence_parts(report),
        f"{metric_named(report.headline).label if headline else 'Score'} beside the baselines",
        headline,
        held_out(report),
        beside_baselines(report),
        verdict(report),
        notices(report),
        other_cards(report),
        [card(report, key, score) for key, score in spoken if score is not None],
    )
    return Section("result", "Result", "fit/result.html.j2", content)


def beside_baselines(report: FitReport) -> Comparison:
    """This run and its baselines on the leading metric, the strongest kind of baseline first."""
    key, task = report.headline, report.targets.task
    rows: list[tuple[str, str, Interval, bool]] = []
    ours = report.score(key)
    if ours is not None:
        name = "This run" if report.record.scores_are_of_run else "The whole procedure"
        rows.append((name, "", ours, True))
    found = report.record.baselines or {}
    for name in [*(n for n in BASELINES if n in found), *(n for n in found if n not in BASELINES)]:
        score = report.baseline(name, key)
        if score is None:
            continue
        title, note = BASELINES.get(name, (name.replace("_", " ").capitalize(), ""))
        if name == "classical":
            note = CLASSICAL[report.data.modality]
            note = note if task.has_classes else note.replace("logistic", "ridge")
        if name == "majority":
            title, note = task.words.constant
        note += learned_from_part(report, name)
        rows.append((title, note, score, False))
    return comparison(rows, key)
