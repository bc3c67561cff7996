"""The section on methods: gains drawn, what selectors say, the truth beside it."""

from __future__ import annotations

from dataclasses import replace

from headstart.report.pages.adapt import AdaptReport
from headstart.report.pages.adapt.methods import Methods, methods_section
from headstart.report.shell import Section
from small_adaptations import ALL, adapt_report, method_row


def section(report: AdaptReport) -> Section:
    (found,) = methods_section(report)
    return found


def methods(report: AdaptReport) -> Methods:
    content = section(report).content
    assert isinstance(content, Methods)
    return content


def test_gains_are_drawn_and_the_returned_one_is_marked() -> None:
    found = methods(adapt_report())
    assert found.gains is not None
    rows = {row.letter: row for row in found.gains.rows}
    assert "A" not in rows and rows["B"].kind == "first" and rows["C"].kind == "other"
    assert rows["B"].value == "+4.3 points" and rows["E"].mark.at < found.gains.zero < rows["B"].mark.at
    assert [row.is_returned for row in found.rows] == [False, True, False, False, False, False]


def test_the_best_by_truth_is_named_though_no_choice_knew_it() -> None:
    assert (
        "coral would have been the best: 77.3%, 1.8 points better than what is returned"
        in section(adapt_report()).deck
    )
    assert "is also the best by the target's labels: 77.3%" in section(adapt_report(returned="coral")).deck
    assert "only by what selectors say" in section(adapt_report(scored=False)).deck


def test_every_selector_is_explained_where_it_is_shown() -> None:
    assert [name for name, _ in methods(adapt_report()).selectors] == [
        "circular validation", "nuclear norm", "DEV"
    ]  # fmt: skip
    assert all(says.endswith(".") for _, says in methods(adapt_report()).selectors)


def test_selectors_beside_the_truth() -> None:
    said = {each.name: each for each in methods(adapt_report()).said}
    assert list(said) == ["Circular validation", "Nuclear norm", "DEV"]
    # circular validation puts the last method first, of which four are better in truth
    assert said["Circular validation"].reads == "puts F first: in truth place 4 of 6"
    assert said["Nuclear norm"].reads == "puts C first: in truth the best"
    dots = {dot.letter: dot for dot in said["Circular validation"].chart.dots}
    assert max(dots.values(), key=lambda dot: dot.x).letter == "F" and dots["B"].kind == "first"
    assert max(dots.values(), key=lambda dot: dot.mark.at).letter == "C"
    table = methods(adapt_report()).table
    assert table.rows[1] == (
        "B  standardise",
        "0.881",
        "0.627",
        "−0.477",
        "75.5%",
        "72.5 to 78.5%",
        "87%",
        "0.41",
    )


def test_nothing_is_drawn_against_a_truth_that_is_not_known() -> None:
    found = methods(adapt_report(scored=False))
    assert found.said == [] and found.gains is None
    assert [title for title, _ in found.table.columns][1:4] == ["circular validation", "nuclear norm", "DEV"]
    assert "Accuracy" not in [title for title, _ in found.table.columns]


def test_a_selector_that_could_score_only_one_method_is_not_drawn() -> None:
    rows = [replace(method_row(name), scores={"circular": 0.5}) for name in ALL]
    rows[1] = replace(rows[1], scores={"circular": 0.6, "dev": 0.1})
    assert [each.name for each in methods(adapt_report(methods=tuple(rows))).said] == ["Circular validation"]


def test_a_method_without_a_score_has_empty_cells() -> None:
    broken = replace(method_row("subspace", scored=False), scores={}, agreement=None, note="too few")
    found = methods(adapt_report(methods=(method_row("none"), method_row("standardise"), broken)))
    assert found.rows[2].is_unused and found.table.rows[2][1:-1] == ("", "", "", "", "", "")


def test_how_it_was_chosen() -> None:
    assert "No label of the target took part" in methods(adapt_report()).why[1]
    assert "named with the command" in methods(adapt_report(chosen_by="the user")).why[1]
