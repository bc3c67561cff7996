"""Places, depths, numbers and warnings of a ranking in plain words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headstart.data import Finding
from headstart.metrics import Interval
from headstart.report import end_block, render
from headstart.report.pages.rank.notices import notices
from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.words import (
    depth,
    megabytes,
    milliseconds,
    places,
    shown,
    upstream,
    why_this_order,
)
from small_rankings import ranked, ranking_report, with_everything


def changed(report: RankReport, place: int, **changes: Any) -> RankReport:
    """The ranking with one row changed."""
    rows = list(report.ranking.ranked)
    rows[place] = replace(rows[place], **changes)
    return replace(report, ranking=replace(report.ranking, ranked=rows))


def said(report: RankReport) -> list[tuple[str, str, str]]:
    return [(notice.severity, notice.title, notice.text) for notice in notices(report)]


def test_places_are_one_number_or_two() -> None:
    assert places(ranked(0, 3, places=(1, 1))) == "1" and places(ranked(0, 3, places=(2, 4))) == "2 to 4"


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ((), ""),
        (("blocks.6",), "blocks.6"),
        (("blocks.2", "blocks.4"), "blocks.2 + blocks.4"),
        (("blocks.1", "blocks.2", "blocks.3"), "3 of 6 stages"),
        (tuple(f"blocks.{k}" for k in range(6)), "all 6 stages"),
    ],
)
def test_the_best_depth_is_short(stages: tuple[str, ...], words: str) -> None:
    assert depth(ranked(0, 3, stages=stages)) == words


def test_what_is_not_known_is_empty() -> None:
    bare = ranked(0, 3, milliseconds=None, megabytes=None, upstream=None)
    assert (milliseconds(bare), megabytes(bare), upstream(bare)) == ("", "", "")
    full = ranked(0, 3, milliseconds=1234.56, megabytes=0.26)
    assert (milliseconds(full), megabytes(full)) == ("1,234.6", "0.3")
    assert len(upstream(ranked(0, 3))) <= 60 and upstream(ranked(0, 3)).endswith(" …")
    hyphens = ranked(
        0, 3, upstream="sentence-similarity (s2orc, flax-sentence-embeddings/stackexchange_xml, ms_marco)"
    )
    assert upstream(hyphens) == "sentence-similarity (s2orc, …)"


def test_an_order_that_is_not_that_of_the_predicted_numbers_is_explained() -> None:
    report = ranking_report(3)  # 97.0%, 87.0%, 77.0%, 66.0% and 61.0%
    assert why_this_order(report) == ""
    sources = why_this_order(changed(report, 1, predicted=Interval(0.75, 0.7, 0.8)))
    assert "cannot be told apart" in sources and "a baseline" not in sources
    baselines = why_this_order(changed(report, 3, predicted=Interval(0.6, 0.5, 0.7)))
    assert "a baseline stands after" in baselines and "cannot be told apart" not in baselines
    assert why_this_order(changed(report, 1, predicted=Interval(0.76999, 0.7, 0.8))) == "", "equal as read"
    shown_in = changed(report, 2, predicted=Interval(0.6, 0.5, 0.7))
    assert why_this_order(shown_in) in " ".join(end_block(shown_in).split())
    assert why_this_order(shown_in) in render(shown_in)


def test_many_names_are_counted() -> None:
    assert shown(["a", "b", "c"], 3) == "a, b and c" and shown(["a", "b", "c", "d"], 3) == "a, b and 2 more"


def test_nothing_to_warn_of() -> None:
    assert notices(ranking_report(3)) == ()


def test_sources_below_a_baseline_are_named_together() -> None:
    report = changed(ranking_report(4), 3, not_better_than={"classical features": True})
    report = changed(report, 2, not_better_than={"classical features": True})
    report = changed(report, 1, not_better_than={f"{report.first.name}, random weights": False})
    two = "network_2.of_some_training and network_3.of_some_training"
    assert said(report) == [
        (
            "error",
            f"Negative transfer is likely from {two}",
            "They are clearly worse than classical features.",
        ),
        (
            "warning",
            "Negative transfer is possible from network_1.of_some_training",
            "It is not better than random weights.",
        ),
    ]


def test_everything_that_can_be_said_the_gravest_first() -> None:
    found = said(with_everything())
    assert [severity for severity, _, _ in found] == ["error"] + 6 * ["warning"] + 2 * ["note"]
    assert found[0][1].startswith("Negative transfer is likely from network_23.of_some_training and")
    assert found[1][1] == "resnet50.a1_in1k is not ranked" and "hub cannot be reached" in found[1][2]
    assert found[5][1] == "Not clearly better than classical features"
    assert found[5][2].startswith("network_17.of_some_training, ") and "244 images" in found[5][2]
    assert found[6] == ("warning", "", "The ranking was stopped before it was complete.")
    assert found[7][2] == "network_5.half_precision gives the same features as network_5.of_some_training."


def test_too_few_items_and_faults_of_the_data() -> None:
    report = changed(
        ranking_report(3, intervals=False), 0, predicted=Interval(0.5, why="2 independent units")
    )
    facts = replace(
        report.facts, findings=(Finding("leak", "warning", "3 images are in train and in test."),)
    )
    found = said(replace(report, facts=facts))
    assert [title for _, title, _ in found] == [
        "Nothing can be told apart",
        "The data checks found something",
    ]
    assert "2 independent units" in found[0][2] and "3 images" in found[1][2]
