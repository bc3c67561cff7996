"""The page of an audit says what was found, also where little was."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from headstart.metrics import Interval
from headstart.report import render
from headstart.report.pages.audit import AuditReport, page
from headstart.runs import RunFacts
from headstart.runs.audit import AuditFacts, Curve, SizeVerdict
from small_audits import FOLDER, SOURCE, audit_report, reported, with_everything

HOSTILE = "<script>document.title='run'</script>"
BREAKING = '"><img src=x onerror="document.title=\'run\'">'


def test_the_sections_in_order() -> None:
    keys = [section.key for section in page(with_everything()).sections]
    assert keys == [
        "curves", "gain", "saved", "baselines", "others", "methods", "data", "cost", "again", "limits"
    ]  # fmt: skip
    assert "others" not in [section.key for section in page(audit_report()).sections]
    assert "saved" not in [
        section.key for section in page(audit_report(("majority", "classical"), saved={})).sections
    ]


def test_short_names_but_for_commands_and_facts() -> None:
    text = render(with_everything())
    assert "time the networks" in text and "train from scratch" not in text
    head = text[text.index("<main") : text.index('id="again"')]
    assert "network_0.of_some_training" in head and FOLDER not in head
    assert f"<dd>{SOURCE}</dd>" in text


def hostile() -> AuditReport:
    """An audit with hostile text wherever a user, the data or a source can write."""
    report = with_everything()
    names = {
        each.name: f"{HOSTILE}{k}" for k, each in enumerate(report.audit.curves) if each.role == "source"
    }
    curves = [
        replace(each, name=names.get(each.name, each.name), given=BREAKING) for each in report.audit.curves
    ]
    others = {
        names[name]: [replace(each, against=names[name]) for each in rows]
        for name, rows in report.audit.others.items()
    }
    audit = replace(
        report.audit,
        curves=curves,
        others=others,
        warnings=(HOSTILE,),
        notes=(BREAKING,),
        sentence=f"{HOSTILE}: x",
    )
    facts = replace(report.facts, run=BREAKING, command=HOSTILE, split_origin=BREAKING)
    return replace(report, audit=audit, facts=facts, next_command=BREAKING)


def test_one_file_that_asks_for_nothing_and_runs_nothing() -> None:
    text = render(with_everything())
    assert len(text.encode()) < 300_000 and text == render(with_everything())
    assert not re.search(r'(?:src|href|action|poster)="(?!data:|#)', text)
    assert "@import" not in text and "url(" not in text
    unsafe = render(hostile())
    assert unsafe.count("<script") == 1 and "<img src=x" not in unsafe


def bare() -> AuditReport:
    """One number of labels, no interval, no baseline that was measured."""
    report = audit_report()
    point = replace(
        report.audit.transfer.points[-1], score=Interval(0.9, why="2 independent units"), on_folds=None
    )
    curve = Curve(SOURCE, "transfer", (point,))
    verdict = SizeVerdict(244, "undecided", "", Interval(None, why="nothing was measured"), 1.0)
    facts = AuditFacts(
        "accuracy", SOURCE, "Undecided: nothing was measured.", [curve], [verdict], {}, {}, 1, 244, 9, 2
    )
    return AuditReport(report.record, RunFacts("runs/bare", "headstart audit", ("a",), ()), facts)


def test_little_was_found() -> None:
    text = render(bare())
    keys = [section.key for section in page(bare()).sections]
    assert keys == ["curves", "methods", "cost", "again", "limits"]
    assert 'class="upright' not in text and 'class="band' not in text and 'class="beyond"' not in text
    assert (
        "Transfer reaches 90.0% accuracy with 244 labels." in text and "mean of 1 seed; no intervals" in text
    )


@pytest.mark.parametrize(("metric", "task"), [("log_loss", "multilabel"), ("rmse", "regression")])
def test_a_metric_that_is_better_lower(metric: str, task: str) -> None:
    report = audit_report(metric=metric)
    text = render(reported(report.audit, task))
    assert "left of it transfer is better" in text and "lower is better" in text
    assert "0.850" in text and "in points" not in text
