"""The sections on the shift, the classes, the picture, and what to do next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headstart.metrics import Interval
from headstart.report.pages.adapt import AdaptReport
from headstart.report.pages.adapt.background import limits_section
from headstart.report.pages.adapt.classes import classes_section
from headstart.report.pages.adapt.domains import domains_section
from headstart.report.pages.adapt.result import result_section
from headstart.report.pages.adapt.shift import shift_section
from headstart.report.pages.adapt.todo import todo_section
from small_adaptations import DIFFERENCES, KEPT, TEXTS, adapt_report, drawn, shift_found, with_everything


def content(make: Any, report: AdaptReport) -> Any:
    (found,) = make(report)
    return found.content


def test_sizes_of_the_shift() -> None:
    found = content(shift_section, adapt_report())
    assert found.kind == "Covariate shift: the items differ between the domains." and found.certain
    rows = {row[0]: row[1:] for row in found.size.rows}
    assert rows["Proxy A-distance"][:2] == ("1.420", "1.310 to 1.520")
    assert rows["MMD² (Gaussian kernel)"][2] == "0: alike; permutation test p = 0.002"
    assert (
        rows["Distance of the class shares"][0] == "0.040" and "The same with equal class shares" not in rows
    )
    assert found.distance is None  # one number needs no drawing


def test_a_label_shift() -> None:
    found = content(shift_section, adapt_report(kind="label"))
    assert [bar.name for bar in found.distance.bars] == ["The domains as they are", "With equal class shares"]
    assert [tick.text for tick in found.distance.ticks] == ["0", "0.5", "1", "1.5", "2"]
    assert found.advice.startswith("Correct the class shares (`--method label-shift`)")
    assert not content(shift_section, adapt_report(kind="both")).certain


def test_class_shares_drawn() -> None:
    report = adapt_report(classes=("a", "b", "c"), shift=shift_found("label", missing=(1,), n_classes=3))
    found = content(shift_section, report)
    assert [row.badge for row in found.shares.rows] == ["", "seems missing", ""] and found.n_left_out == 0
    first = found.shares.rows[0]
    assert (
        first.target is not None and first.target.low < first.target.at < first.source < first.target.high * 3
    )
    assert "33.3% of the source, 16.7% (12.7 to 21.7%) of the target (estimated)" in first.text


def test_of_forty_classes_those_that_differ_most_are_drawn() -> None:
    found = content(shift_section, with_everything())
    assert len(found.shares.rows) == 20 and found.n_left_out == 20 and len(found.shares_table.rows) == 40


def test_statistics_of_items_and_texts() -> None:
    report = adapt_report(shift={**shift_found(), "differences": DIFFERENCES, "texts": TEXTS})
    found = content(shift_section, report)
    rows = {row.name: row for row in found.differences.rows}
    assert [row.kind for row in found.differences.rows] == ["large", "large", ""]
    assert rows["level (dB)"].letter == "−21.400 in the source, −35.200 in the target"
    assert rows["bandwidth (kHz)"].interval == "−3.700 to −3.100"
    texts = {row[0]: row[1:] for row in found.texts.rows}
    assert texts["Long words that are one token"] == ("91.0%", "13.0%")
    assert texts["Scripts"] == ("Latin 100.0%", "Latin 98.0%, Greek 2.0%")


def test_a_statistic_without_an_interval() -> None:
    unknown = {"low": None, "high": None}
    few = [
        {"name": "level", "source": 1.0, "target": 2.0, "difference": {"value": 1.5, **unknown}},
        {"name": "no value", "source": 1.0, "target": 2.0, "difference": {"value": None, **unknown}},
    ]
    found = content(shift_section, adapt_report(shift={**shift_found(), "differences": few}))
    assert [row.name for row in found.differences.rows] == ["level"] and found.differences.rows[0].kind == ""


def test_nothing_is_known_of_the_shift() -> None:
    report = adapt_report(shift={})
    rows = tuple(replace(row, share=None) for row in report.found.classes)
    assert list(shift_section(replace(report, found=replace(report.found, classes=rows)))) == []
    assert content(shift_section, report).size.rows == ()  # the class shares alone


def test_gains_and_losses_per_class() -> None:
    (section,) = classes_section(adapt_report(classes=("a", "b", "c", "d")))
    kinds = {row.name: row.kind for row in section.content.chart.rows}
    assert kinds == {"a": "loss", "b": "same", "c": "gain", "d": "gain"}
    assert section.deck == (
        "2 classes have more right answers than before: d (+8) and c (+4); 1 class has fewer right answers than "
        "before: a (−4), in items."
    )
    assert section.content.table.rows[0] == ("a", "40", "20", "16", "−4", "50.0%", "40.0%")
    row = section.content.chart.rows[0]
    assert (row.left, row.width, row.value) == (40.0, 10.0, "−10.0")


def test_no_class_changes() -> None:
    report = adapt_report(classes=("a", "b"))
    rows = tuple(replace(row, after=row.before) for row in report.found.classes)
    (section,) = classes_section(replace(report, found=replace(report.found, classes=rows)))
    assert section.deck == "No class has more or fewer right answers than before."


def test_both_domains_before_and_after() -> None:
    (section,) = domains_section(adapt_report())
    first, second = section.content.panels
    assert (first.title, second.title) == ("Before", "After")
    assert first.chart.dots.count("M") == 200 and first.chart.crosses.count("M") == 400
    assert "before and" in section.deck and "The picture shows" in first.reads
    (alone,) = domains_section(
        replace(adapt_report(returned="standardise+infomax"), picture=drawn(aligned=False))
    )
    assert len(alone.content.panels) == 1 and "changes the classifier, not the features" in alone.content.how
    assert list(domains_section(adapt_report(with_picture=False))) == []


def test_umap_is_said() -> None:
    picture = drawn()
    assert picture is not None and picture.after is not None
    umap = replace(
        picture,
        projection="UMAP",
        before=replace(picture.before, explained=None),
        after=replace(picture.after, explained=None),
    )
    found = content(domains_section, replace(adapt_report(), picture=umap))
    assert found.how.startswith("Drawn with UMAP") and "variance" not in found.panels[0].reads


def test_what_to_do_next() -> None:
    steps = {step.title: step for step in content(todo_section, adapt_report())}
    assert list(steps) == ["Predict", "Label 20 texts and learn from them"]
    label = steps["Label 20 texts and learn from them"]
    assert label.command == "headstart fit LABELLED --source run:runs/kitchen" and label.items[0] == "row 3"
    assert "ceiling" in label.text


def test_what_to_do_without_labels() -> None:
    steps = {step.title: step for step in content(todo_section, adapt_report(scored=False))}
    assert list(steps) == ["Predict", "Measure the gain", "Label 20 texts and learn from them"]
    measure = steps["Measure the gain"]
    assert "13% of the items differently" in measure.text and measure.command.startswith(
        "headstart adapt reviews.csv"
    )
    assert "200 items drawn at random" in measure.text


def test_what_would_help_if_nothing_did() -> None:
    for options, said in (
        ({"outcome": "undecided"}, "The result is not clearly better than source only. Another"),
        ({"outcome": "negative"}, "made the answers worse"),
        ({"returned": "none"}, KEPT),
        ({"returned": "none", "scored": False}, KEPT),
    ):
        steps = {step.title: step.text for step in content(todo_section, adapt_report(**options))}  # type: ignore[arg-type]
        assert said in steps["If this is not good enough"]
    worse = adapt_report(outcome="undecided", returned="class-ot")
    steps = {step.title: step.text for step in content(todo_section, worse)}
    assert "It has fewer right answers, which can be chance" in steps["If this is not good enough"]
    assert "If this is not good enough" not in {step.title for step in content(todo_section, adapt_report())}


def test_an_interval_of_a_share_that_is_not_there() -> None:
    report = adapt_report(classes=("a", "b"))
    rows = tuple(replace(row, share=Interval(0.5)) for row in report.found.classes)
    found = content(shift_section, replace(report, found=replace(report.found, classes=rows)))
    assert not found.shares.rows[0].target.has_interval and found.shares_table.rows[0][3] == "none"


def test_points_of_a_run_are_not_called_items() -> None:
    report = adapt_report()
    of_run = replace(report, found=replace(report.found, from_run=True))
    of_run = replace(of_run, picture=drawn())
    counts = content(domains_section, of_run).counts
    assert "points drawn from the statistics of the run" in counts[0] and "points" not in counts[1]
    hints = [card.hint for card in result_section(of_run).content.cards]
    assert any("on the run's held-out part" in hint for hint in hints)
    assert any("by cross-validation" in card.hint for card in result_section(report).content.cards)
    assert content(limits_section, of_run)[0].startswith("Source only is the head of the run.")
