"""The page's text: self-contained, escaped, of a bearable size."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from headstart.metrics import Interval
from headstart.report import render
from headstart.report.media import Shown
from headstart.report.pages import page_module
from headstart.report.pages.fit import FitReport, HeldOut
from headstart.report.shell import Page, Section
from headstart.run_kinds import RUN_KINDS
from headstart.runs import DataFacts, Record, RunFacts, SourceFacts, SplitPart

HOSTILE = "<script>document.title='run'</script>"
BREAKING = '"><img src=x onerror="document.title=\'run\'">'


def hostile(report: FitReport) -> FitReport:
    """The run with hostile text in every place that the data or the user can write to."""
    facts, held_out = report.facts, report.held_out
    finding = replace(facts.findings[0], message=HOSTILE, items=(BREAKING,)) if facts.findings else None
    classes = (HOSTILE, BREAKING, *facts.classes[2:])
    return FitReport(
        record=replace(
            report.record,
            source=replace(report.source, uri=HOSTILE, licence=BREAKING, upstream=HOSTILE),
            data=replace(report.data, target=BREAKING, group=HOSTILE),
            extra={**report.record.extra, "reason": f"`{HOSTILE}` and {BREAKING}"},
        ),
        facts=replace(
            facts,
            run=BREAKING,
            classes=classes,
            findings=(finding,) if finding else (),
            parts=(SplitPart(HOSTILE, 3, 1, {BREAKING: 3}),),
            split_origin=BREAKING,
            environment={BREAKING: HOSTILE},
            created=HOSTILE,
        ),
        held_out=HeldOut(
            [HOSTILE] * len(held_out),
            [BREAKING] * len(held_out),
            [classes[code] for code in held_out.codes],
            held_out.codes,
            held_out.outputs,
        ),
        profile=[replace(row, stage=f"{HOSTILE}{row.index}") for row in report.profile],
        candidates=[replace(each, name=HOSTILE, why=BREAKING) for each in report.candidates],
        history=report.history,
    )


@pytest.mark.parametrize("name", ["image", "text", "audio", "many"])
def test_page_is_one_file_of_bearable_size(samples: dict[str, FitReport], name: str) -> None:
    page = render(samples[name])
    assert len(page.encode()) < 600_000
    assert not re.search(r'(?:src|href|action|poster)="(?!data:|#)', page)
    assert "@import" not in page and "url(" not in page
    assert page == render(samples[name])


@pytest.mark.parametrize("name", ["image", "text", "audio", "many"])
def test_nothing_of_the_data_becomes_markup(samples: dict[str, FitReport], name: str) -> None:
    page = render(hostile(samples[name]))
    assert page.count("<script") == 1
    assert "<img src=x" not in page and "javascript:" not in page


def test_a_payload_that_is_not_data_is_left_out(
    samples: dict[str, FitReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = Shown("javascript:document.title='run'")
    monkeypatch.setattr(import_module("headstart.report.items.gallery"), "shown", lambda *_: trap)
    page = render(samples["image"])
    assert "javascript:" not in page and "The image cannot be shown." in page


def bare(**record: Any) -> FitReport:
    source = SourceFacts("hf:a/b", "ab" * 32, "net", 1, ("only",))
    data = DataFacts("a.csv", "cd" * 32, "text", "label", {})
    return FitReport(Record(**{"source": source, "data": data, **record}), RunFacts("runs/a"))


def test_a_bare_report_renders() -> None:
    page = render(bare(task="regression"))
    assert "headstart trained a linear head on" in page and 'id="calibration"' not in page


def test_regression_leads_with_r2() -> None:
    test = {"r2": Interval(0.71, 0.6, 0.8), "rmse": Interval(3.2, 3, 3.4)}
    page = render(bare(task="regression", test=test))
    assert "0.710" in page and "RMSE" in page


def test_backticks_become_code_and_odd_ones_stay(samples: dict[str, FitReport]) -> None:
    record = replace(samples["text"].record, extra={"reason": "run `a < b` now"})
    assert "run <code>a &lt; b</code> now" in render(replace(samples["text"], record=record))
    record = replace(samples["text"].record, extra={"reason": "one ` alone"})
    assert "one ` alone" in render(replace(samples["text"], record=record))


def test_every_kind_of_run_has_a_page() -> None:
    for kind in RUN_KINDS:
        assert callable(page_module(kind).page) and callable(page_module(kind).end_block)


def test_another_kind_of_run_has_its_own_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def page(report: Any) -> Page:
        lead = Section("result", "Result", "shell/prose.html.j2", ["It is `cooked`."])
        dishes = Section("dishes", "Dishes", "shell/prose.html.j2", ["<soup>"], "Three of them.", "All")
        return Page("runs/dinner", "today", "Dinner was cooked.", lead, (dishes,))

    cook = ModuleType("cook")
    cook.page = page  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "headstart.report.pages.cook", cook)
    document = render(SimpleNamespace(record=Record(kind="cook")))
    assert '<section id="dishes" aria-labelledby="dishes-title">' in document
    assert '<a href="#dishes">All</a>' in document and "Three of them." in document
    assert "&lt;soup&gt;" in document and "<code>cooked</code>" in document and "runs/dinner" in document
