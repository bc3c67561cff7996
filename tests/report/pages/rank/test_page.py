"""The page of a ranking says what was found, also where little was."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from headstart.metrics import Interval
from headstart.report import render
from headstart.report.pages.rank import page
from headstart.report.pages.rank.comparisons import apart_section, price_section, scores_section
from headstart.report.pages.rank.depths import depths_section
from headstart.report.pages.rank.notices import notices
from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.result import result_section
from small_rankings import FOLDER, UPSTREAM, ranked, ranking_report, with_everything

from .test_words import changed

HOSTILE = "<script>document.title='run'</script>"


def deck(sections: Any) -> str:
    (section,) = sections
    return str(section.deck)


def test_the_sections_in_order() -> None:
    keys = [section.key for section in page(with_everything()).sections]
    assert keys == ["apart", "price", "depth", "scores", "data", "cost", "again", "limits"]
    assert "scores" not in [section.key for section in page(ranking_report(3)).sections]


def test_the_advice_leads_with_short_names_and_the_command_has_the_whole() -> None:
    text = render(ranking_report(3))
    head = text[text.index("<h1") : text.index("</h1>")]
    assert "<em>network_0.of_some_training</em>" in head and FOLDER not in head
    assert f"headstart fit data/photos --source {FOLDER}/network_0.of_some_training" in text


def test_a_row_per_source_and_baseline() -> None:
    rows = result_section(ranking_report(4)).content.rows
    assert [row.letter for row in rows] == list("ABCDEF")
    assert [row.kind for row in rows] == ["first", "tied", "tied", "", "baseline", "baseline"]
    assert [row.badge for row in rows] == ["", "may be first", "may be first", "", "", ""]
    first, *_, classical, random = rows
    assert (first.places, first.value, first.interval) == ("1 to 3", "97.0%", "92.0 to 100.0%")
    assert first.full == f"{FOLDER}/network_0.of_some_training" and first.whole_note == UPSTREAM
    assert len(first.note) <= 60 and (classical.milliseconds, classical.depth) == ("", "")
    assert random.note == "baseline: the network of network_0.of_some_training, nothing learned"


def test_whiskers_stand_on_one_scale() -> None:
    content = result_section(ranking_report(4)).content
    places = [row.mark.at for row in content.rows[:4]]
    assert places == sorted(places, reverse=True) and all(row.mark.has_interval for row in content.rows)
    low, high = content.ticks[0], content.ticks[-1]
    assert (low.at, high.at, high.text) == (0, 100, "100%")


def test_letters_go_on_after_z() -> None:
    letters = list(ranking_report(25).letters.values())
    assert letters[24:] == ["Y", "Z", "AA"] and len(set(letters)) == 27


def test_what_can_be_told_apart() -> None:
    report = ranking_report(4)
    assert deck(apart_section(report)) == (
        "network_1.of_some_training and network_2.of_some_training cannot be told apart from "
        "network_0.of_some_training. It is clearly better than network_3.of_some_training."
    )
    assert deck(apart_section(ranking_report(9))).endswith("It is clearly better than the other 6.")
    (section,) = apart_section(report)
    chart = section.content.chart
    assert [row.letter for row in chart.rows] == list("BCDEF")
    assert chart.rows[0].value == "−10.0 points" and chart.rows[0].interval == "−16.0 to −4.0"
    assert 0 < chart.rows[0].mark.high < chart.zero <= 100
    assert {tick.text for tick in chart.ticks} >= {"0", "−20"}


@pytest.mark.parametrize(
    ("n_sources", "changes", "words"),
    [
        (1, {}, "network_0.of_some_training beside the baselines."),
        (2, {"places": (2, 2)}, "network_0.of_some_training is clearly better than the other source."),
    ],
)
def test_what_can_be_told_apart_of_few(n_sources: int, changes: dict[str, Any], words: str) -> None:
    report = ranking_report(n_sources)
    if changes:
        report = changed(report, 1, difference=Interval(-0.1, -0.15, -0.05), **changes)
    assert deck(apart_section(report)) == words


def test_without_intervals_nothing_is_drawn_as_if_there_were() -> None:
    report = ranking_report(4, intervals=False)
    text = render(report)
    assert 'class="whisker"' not in text and "no intervals: too few" in text and "no interval<" in text
    assert deck(apart_section(report)) == "There are too few independent items to tell any two apart."


def test_the_fastest_of_those_that_are_level() -> None:
    report = ranking_report(4)
    assert deck(price_section(report)) == (
        "None of those that cannot be told apart is clearly faster than network_0.of_some_training."
    )
    assert deck(price_section(ranking_report(1))) == ""
    slow = changed(report, 0, milliseconds=193.0)
    assert deck(price_section(slow)).startswith(
        "Of those that cannot be told apart, network_1.of_some_training"
    )
    (section,) = price_section(report)
    chart = section.content.chart
    assert [dot.letter for dot in chart.dots] == list("ABCDF") and [level.text for level in chart.levels] == [
        "classical features, 66.0%"
    ]


def test_no_cost_is_no_section() -> None:
    rows = [replace(row, milliseconds=None) for row in ranking_report(3).ranking.ranked]
    assert not list(price_section(ranking_report(3, ranked=rows)))


def test_profiles_share_a_scale_and_mark_what_the_head_reads() -> None:
    (section,) = depths_section(ranking_report(3))
    charts = section.content.charts
    assert len({chart.chart.ticks for chart in charts}) == 1
    assert [[dot.stage for dot in chart.chart.dots if dot.chosen] for chart in charts] == [
        ["blocks.4"], ["blocks.4"], ["blocks.6"]
    ]  # fmt: skip
    assert (
        section.deck
        == "The best head of 1 of 3 sources does not read the last stage, which is the usual choice, but earlier ones."
    )
    assert len(section.content.table.rows) == 6 + 7 + 8


def test_profiles_are_left_out_where_there_are_none() -> None:
    rows = [replace(row, profile=()) for row in ranking_report(3).ranking.ranked]
    assert not list(depths_section(ranking_report(3, ranked=rows)))


def test_scores_stand_in_columns_and_a_missing_one_is_empty() -> None:
    rows = [ranked(0, 2, scores={"logme": 1.5, "leep": -0.25}), ranked(1, 2, scores={"logme": 0.5})]
    (section,) = scores_section(ranking_report(2, ranked=rows))
    assert section.content.rows == (
        ("network_0.of_some_training", "1.500", "−0.250"),
        ("network_1.of_some_training", "0.500", ""),
    )


def test_a_quantity_is_not_in_percent() -> None:
    report = ranking_report(3, metric="r2")
    assert result_section(report).content.rows[0].value == "0.970"
    (section,) = apart_section(report)
    assert section.content.chart.rows[0].value == "−0.100" and "0.97 " not in section.deck
    assert "R²" in render(report)


def hostile() -> RankReport:
    """A ranking with hostile text wherever a user or a card can write."""
    report, breaking = with_everything(), '"><img src=x onerror="document.title=\'run\'">'
    rows = [
        replace(row, name=f"{HOSTILE}{place}", upstream=breaking, stages=(HOSTILE,), same_as=(breaking,))
        for place, row in enumerate(report.ranking.ranked)
    ]
    ranking = replace(
        report.ranking,
        ranked=rows,
        failed={breaking: HOSTILE},
        warnings=(HOSTILE,),
        advice=f"Start from {HOSTILE}0.",
    )
    return replace(report, ranking=ranking, next_command=f"headstart fit {breaking}")


def test_one_file_that_asks_for_nothing_and_runs_nothing() -> None:
    text = render(with_everything())
    assert len(text.encode()) < 300_000 and text == render(with_everything())
    assert not re.search(r'(?:src|href|action|poster)="(?!data:|#)', text)
    assert "@import" not in text and "url(" not in text
    unsafe = render(hostile())
    assert unsafe.count("<script") == 1 and "<img src=x" not in unsafe


def test_what_to_freeze_stands_under_the_profile_and_among_the_notes() -> None:
    rows = ranking_report(3).ranking.ranked
    for cut, words, note in (
        (1, "first 1 of 6 stages frozen", "Freeze its first stage (--freeze first:1)"),
        (3, "first 3 of 6 stages frozen", "first 3 of 6 stages (--freeze first:3): in the depth profile no stage is "
         "clearly better than blocks.1."),
        (5, "first 5 of 6 stages frozen", "Freeze all but its last stage (--freeze first:5)"),
    ):  # fmt: skip
        report = ranking_report(3, ranked=[replace(rows[0], advised_cut=cut), *rows[1:]])
        (section,) = depths_section(report)
        assert [small.trained for small in section.content.charts] == [words, "", ""]
        assert any(note in each.text for each in notices(report))
    assert not any("If you train" in each.title for each in notices(ranking_report(3)))
