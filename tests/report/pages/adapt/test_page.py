"""The page of an adaptation says what was found, also where little was."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from headstart.metrics import Interval
from headstart.progress import printable
from headstart.report import render
from headstart.report.pages.adapt import AdaptReport, end_block, page
from small_adaptations import adapt_report, class_rows, method_row, replace_names, with_everything

HOSTILE = "<script>document.title='run'</script>"
BREAKING = '"><img src=x onerror="document.title=\'run\'">'


def keys(report: AdaptReport) -> list[str]:
    return [section.key for section in page(report).sections]


def words(report: AdaptReport) -> str:
    """The page without its tags."""
    text = re.sub(r"<(script|style).*?</\1>", "", render(report), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_the_sections_in_order() -> None:
    rest = ["data", "cost", "again", "limits"]
    assert keys(adapt_report()) == ["methods", "classes", "shift", "domains", "next", *rest]
    assert keys(adapt_report(scored=False)) == ["methods", "shift", "domains", "next", *rest]
    assert "classes" not in keys(adapt_report(returned="none"))
    assert "domains" not in keys(adapt_report(with_picture=False))


def test_little_was_found() -> None:
    report = adapt_report(("none",), returned="none", scored=False, with_picture=False, to_label=(), shift={},
                          classes=("one",))  # fmt: skip
    rows = tuple(replace(row, share=None) for row in report.found.classes)
    methods = (replace(report.found.source_only, scores={}),)
    bare = replace(report, found=replace(report.found, classes=rows, methods=methods), next_command="")
    assert keys(bare)[:2] == ["methods", "next"]
    text = words(bare)
    assert "changes nothing" in text and "selectors say" not in text and "Size of the shift" not in text


def hostile() -> AdaptReport:
    """An adaptation with hostile text wherever a user, the data or a source can write."""
    report = replace_names(with_everything(), (HOSTILE, BREAKING))
    found = report.found
    classes = tuple(replace(row, name=f"{HOSTILE}{k}") for k, row in enumerate(found.classes))
    methods = tuple(replace(row, label=BREAKING, note=HOSTILE if row.note else "") for row in found.methods)
    shift = {
        **found.shift,
        "sentences": [HOSTILE],
        "advice": BREAKING,
        "differences": [{**each, "name": HOSTILE} for each in found.shift["differences"]],
        "texts": {
            **found.shift["texts"],
            "target": {**found.shift["texts"]["target"], "scripts": {HOSTILE: 1.0}},
        },
    }
    found = replace(
        found, classes=classes, methods=methods, shift=shift, warnings=(HOSTILE,), notes=(BREAKING,),
        reason=BREAKING, to_label=(HOSTILE, BREAKING),
    )  # fmt: skip
    facts = replace(report.facts, run=BREAKING, command=HOSTILE, split_origin=BREAKING)
    return replace(report, found=found, facts=facts, next_command=BREAKING)


def test_one_file_that_asks_for_nothing_and_runs_nothing() -> None:
    text = render(with_everything())
    assert len(text.encode()) < 300_000 and text == render(with_everything())
    assert not re.search(r'(?:src|href|action|poster)="(?!data:|#)', text)
    assert "@import" not in text and "url(" not in text
    unsafe = render(hostile())
    assert unsafe.count("<script") == 1 and "<img src=x" not in unsafe


def test_every_id_is_there_once() -> None:
    for report in (with_everything(), adapt_report(scored=False)):
        ids = re.findall(r'\sid="([^"]+)"', render(report))
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("names", [("a: b", "c: helps"), ("helps", "hurts: changes nothing")])
def test_names_of_domains_do_not_change_the_heading(names: tuple[str, str]) -> None:
    text = render(replace_names(adapt_report(outcome="negative"), names))
    assert f"Adapting from {names[0]} to {names[1]} <em>hurts</em>" in text


def test_control_characters_of_names_are_shown() -> None:
    """Those that turn the direction of writing would let a name say something else than it is."""
    names = ("a\x1b[31m", "gnp\u202e.exe")
    classes = class_rows(("one\x07", "two\u2066"), scored=True)
    report = replace_names(adapt_report(), names)
    report = replace(report, found=replace(report.found, classes=classes, to_label=("file\x9b.png",)))
    for text in (render(report), end_block(report)):
        assert text == printable(text) and r"a\x1b[31m" in text and r"gnp\u202e.exe" in text
    text = render(report)
    assert r"one\x07" in text and r"two\u2066" in text and r"file\x9b.png" in text


def test_the_headline_is_short_and_the_list_has_the_full_label() -> None:
    for report in (adapt_report(), adapt_report(scored=False)):
        methods = tuple(replace(row, label=f"the long label of {row.name}") for row in report.found.methods)
        report = replace(report, found=replace(report.found, methods=methods))
        assert words(replace_names(report, report.found.names)).count("the long label of standardise ") == 1


def test_a_balanced_metric_and_a_loss() -> None:
    text = words(adapt_report(metric="balanced_accuracy"))
    assert "balanced accuracy on kitchen" in text
    assert "left of it the method is better" in words(adapt_report(metric="log_loss"))


def test_long_names_and_forty_classes_are_cut_in_the_drawing_not_in_the_table() -> None:
    report = with_everything()
    text = render(report)
    for row in report.found.classes:
        assert row.name in text
    assert "the 20 classes that change most" in text and "the 20 classes that differ most" in text
    assert text.count('class="mark square"') == 20


def test_a_method_that_was_not_used_says_why() -> None:
    text = words(with_everything())
    assert "not used: fewer items than axes" in text


def test_scores_without_intervals() -> None:
    few = tuple(
        replace(row, truth=Interval(0.7, why="2 independent units, 3 are needed for an interval"),
                gain=None if row.gain is None else Interval(0.1))
        for row in (method_row("none"), method_row("standardise"))
    )  # fmt: skip
    text = words(adapt_report(("none", "standardise"), methods=few, classes=("a", "b")))
    assert "no interval: 2 independent units, 3 are needed" in text and "no intervals; dashed line" in text


def test_a_class_without_items() -> None:
    rows = class_rows(("a", "b", "c"), scored=True)
    none = replace(rows[2], n_items=0, before=0, after=0)
    report = adapt_report(classes=("a", "b", "c"))
    report = replace(report, found=replace(report.found, classes=(*rows[:2], none)))
    text = render(report)
    assert text.count('class="mark square"') == 2
