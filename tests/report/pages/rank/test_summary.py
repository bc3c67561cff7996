"""The terminal block of a ranking fits, tells names apart and says the whole name of what to run next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headstart.report import end_block
from small_rankings import FOLDER, ranking_report, with_everything


@pytest.mark.parametrize("n_sources", [1, 2, 7, 25])
@pytest.mark.parametrize("intervals", [True, False])
def test_lines_fit_but_for_the_command(n_sources: int, intervals: bool) -> None:
    lines = end_block(ranking_report(n_sources, intervals=intervals)).splitlines()
    assert [line for line in lines if len(line) > 92] == [
        f"  Next    headstart fit data/photos --source {FOLDER}/network_0.of_some_training"
    ]


def test_everything_fits_too() -> None:
    text = end_block(with_everything())
    assert max(len(line) for line in text.splitlines() if "Next" not in line) <= 92
    assert "! resnet50.a1_in1k is not ranked." in text and "- Scored once." in text


def test_the_table() -> None:
    lines = end_block(ranking_report(3)).splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("  place"))
    title, first, *_, classical, random, mark = lines[start : start + 7]
    assert first.split() == [
        "1", "to", "3", "network_0.of_some_training", "97.0%", "92.0", "to", "100.0%", "blocks.4", "4.0", "8.9"
    ]  # fmt: skip
    assert title.index("MB") + 2 == len(first) and title.index("accuracy") + 8 == first.index("%") + 1
    assert "* classical features" in classical and "* random weights" in random
    assert mark == "  * baseline without pretrained weights"


def test_without_baselines_no_line_explains_them() -> None:
    rows = [row for row in ranking_report(3).ranking.ranked if row.role == "source"]
    assert "*" not in end_block(ranking_report(3, ranked=rows))


def test_what_sources_were_pretrained_on() -> None:
    text = end_block(ranking_report(7))
    assert "classification, 965 classes: network_2.of_some_training and network_5.of_some_training" in text
    rows = [replace(row, upstream=f"task {k}") for k, row in enumerate(ranking_report(9).ranking.ranked)]
    assert "    and 4 more, in ranking.csv" in end_block(ranking_report(9, ranked=rows))
    rows = [replace(row, upstream=None) for row in rows]
    assert "Pretrained" not in end_block(ranking_report(9, ranked=rows))


def test_names_are_short_and_the_command_is_whole() -> None:
    text = end_block(ranking_report(3), has_report=False)
    assert text.count(FOLDER) == 1 and "report.html" not in text and "headstart report" not in text
    assert "Start from network_0.of_some_training; 2 other sources" in text
