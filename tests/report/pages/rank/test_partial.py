"""What the report says of a partial-transfer curve."""

from __future__ import annotations

import pytest

from headstart.report import render
from headstart.report.pages.rank import end_block
from headstart.report.pages.rank.partial import partial_notice, partial_section
from headstart.runs.ranking import DepthPoint, PartialTransfer
from small_rankings import ranking_report


@pytest.mark.parametrize(
    ("scores", "negative", "words"),
    [
        ((0.5, 0.7, 0.9), False, "best (90.0%) if every stage is pretrained"),
        (
            (0.5, 0.9, 0.6),
            True,
            "(90.0%) if the stages up to a are pretrained; the whole source (60.0%) is clearly",
        ),
        ((0.5, 0.9, 0.88), False, "the whole source (88.0%) cannot be told apart from that"),
        (
            (0.9, 0.5, 0.5),
            True,
            "(90.0%) if none of the stages is pretrained; the whole source (50.0%) is clearly",
        ),
    ],
)
def test_it_says_where_transfer_turns(scores: tuple[float, ...], negative: bool, words: str) -> None:
    points = tuple(DepthPoint(name, score, score, score) for name, score in zip(("none", "a", "b"), scores))
    source = ranking_report(3).first.name
    curve = PartialTransfer(source, points, scores.index(max(scores)), negative)
    report = ranking_report(3, partial=curve)
    (notice,) = partial_notice(report)
    assert words in notice.text and "random: none " in notice.text
    assert notice.severity == ("warning" if negative else "note")
    assert "Partial transfer of" in end_block(report)
    (section,) = partial_section(report)
    assert ("do harm" in section.deck) == negative or "No stage does harm" in section.deck
    assert [dot.chosen for dot in section.content.chart.dots].index(True) == curve.best
    assert section.content.table.rows[0][:2] == ("none", f"{100 * scores[0]:.1f}%")
    assert '<section id="partial"' in render(report)


def test_nothing_is_said_without_a_curve() -> None:
    assert not list(partial_notice(ranking_report(3))) and not list(partial_section(ranking_report(3)))
