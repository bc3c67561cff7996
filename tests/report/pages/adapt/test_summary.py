"""The terminal block of an adaptation fits, and says what came of it, why, and what to do next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headstart.report import end_block
from headstart.report.pages.adapt import AdaptReport
from small_adaptations import ALL, DOMAINS, adapt_report, method_row, with_everything

SELECTORS = ("circular", "importance", "dev", "nuclear", "infomax", "class_ami")


def flat(report: AdaptReport) -> str:
    return " ".join(end_block(report).split())


@pytest.mark.parametrize("scored", [True, False])
@pytest.mark.parametrize("returned", ["none", "standardise", "standardise+infomax"])
@pytest.mark.parametrize("n_selectors", [0, 1, 6])
def test_lines_fit(n_selectors: int, returned: str, scored: bool) -> None:
    rows = tuple(
        replace(method_row(name, scored=scored), scores=dict.fromkeys(SELECTORS[:n_selectors], -0.123))
        for name in ALL
    )
    text = end_block(adapt_report(methods=rows, returned=returned, scored=scored))
    assert max(map(len, text.splitlines())) <= 92
    if n_selectors == 6 and scored:
        assert "in methods.csv" in " ".join(text.split())


def test_everything_fits() -> None:
    text = end_block(with_everything())
    assert max(map(len, text.splitlines())) <= 92
    assert "subspace was not used: fewer items than axes" in text and "  ! 12 items of kitchen" in text


def test_names_that_are_too_long_stay_different() -> None:
    names = ["none", *(f"bn+standardise+a-learner-with-a-very-long-name-{k}" for k in range(3))]
    text = end_block(adapt_report(names, returned=names[1]))
    assert max(map(len, text.splitlines())) <= 92
    rows = [line[:36].split()[-1] for line in text.splitlines() if line[4:].startswith("bn+")]
    assert len(set(rows)) == 3


def table(report: AdaptReport) -> list[list[str]]:
    lines = end_block(report).splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("  method"))
    return [line.split() for line in lines[start : start + 3]]


def test_the_table() -> None:
    title, alone, first = table(adapt_report())
    assert title == ["method", "circular", "nuclear", "DEV", "accuracy", "gain", "95%", "interval", "same"]
    assert alone == ["none", "0.842", "0.610", "−0.520", "71.2%", "100%"]
    assert first == [
        "*",
        "standardise",
        "0.881",
        "0.627",
        "−0.477",
        "75.5%",
        "+4.3",
        "+2.3",
        "to",
        "+6.3",
        "87%",
    ]


def test_numbers_stand_below_each_other() -> None:
    lines = end_block(adapt_report()).splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("  method"))
    assert len({line.rindex("%") for line in lines[start + 1 : start + 1 + len(ALL)]}) == 1


def test_without_labels_it_says_how_to_get_a_number() -> None:
    text = flat(adapt_report(scored=False))
    assert "kitchen has no labels of the source's classes, so the gain cannot be measured" in text
    # 13% of the answers differ: 1.96^2 * 0.13 / 0.05^2 = 199.8
    assert "To measure the gain to within 5 points, label 200 items, drawn at random, of kitchen" in text
    assert "gain:" not in text and "accuracy" not in text
    few = flat(adapt_report(scored=False, n_target=50))
    assert "label all items of kitchen" in few


def test_without_labels_and_without_a_change() -> None:
    text = flat(adapt_report(scored=False, returned="none"))
    assert f"Adapting from {DOMAINS[0]} to {DOMAINS[1]} changes nothing: source only is kept." in text
    assert "To know how good it is on kitchen, label some of its items" in text
    alike = tuple(replace(method_row(name, scored=False), agreement=1.0) for name in ALL)
    assert "there is no gain and no loss" in flat(adapt_report(scored=False, methods=alike))


def test_what_to_do_next() -> None:
    text = end_block(adapt_report())
    assert "  Next    headstart predict runs/kitchen NEW_ITEMS" in text
    assert "20 items whose labels would help most" in " ".join(text.split())
    assert "report.html" not in end_block(adapt_report(), has_report=False)
    assert "whose labels" not in flat(adapt_report(to_label=()))


def test_the_shift_is_said_once() -> None:
    text = flat(adapt_report())
    assert text.count("- Covariate shift: the items differ between the domains.") == 1
    assert text.count("- Align the domains; the class shares need no correction") == 1


def test_a_loss_says_which_way_is_better() -> None:
    assert "lower is better" in flat(adapt_report(metric="log_loss"))
    assert "lower is better" not in flat(adapt_report())
