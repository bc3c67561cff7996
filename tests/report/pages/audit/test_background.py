"""What each method was given, and how to make the audit again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headstart.report.pages.audit.background import (
    again_section,
    cost_section,
    limits_section,
    methods_section,
)
from small_audits import SOURCE, audit_report, with_everything


def one(sections: Any) -> Any:
    (found,) = sections
    return found


def test_what_each_method_was_given() -> None:
    rows = one(methods_section(with_everything())).content.rows
    assert rows[0] == (
        "A  network_0.of_some_training (transfer)",
        "a head on its stored features",
        "5 of 5 seeds",
    )
    assert rows[-1] == ("G  training from scratch", "3 rates of up to 40 epochs were tried", "5 of 5 seeds")


def test_what_was_not_measured() -> None:
    report = with_everything()
    *others, scratch = report.audit.curves
    points = [replace(scratch.points[0], n_seeds=1), *scratch.points[1:-1]]
    report = replace(
        report, audit=replace(report.audit, curves=[*others, replace(scratch, points=tuple(points))])
    )
    assert one(methods_section(report)).content.rows[-1][-1] == "1 to 5 seeds; not with 244 labels"


def test_the_command_and_what_may_differ() -> None:
    found = one(again_section(audit_report()))
    assert found.content.command == f"headstart audit data/photos --source {SOURCE}"
    assert found.content.facts["Source A"] == SOURCE and found.content.facts["Seeds"] == "5"
    assert "scratch" not in found.deck and "scratch" in one(again_section(with_everything())).deck


def test_phases_have_names() -> None:
    assert [row.name for row in one(cost_section(audit_report())).content][2] == "time the networks"


def test_limits_name_the_sources_of_the_methods() -> None:
    text = " ".join(one(limits_section(audit_report())).content)
    for name in (
        "Cameron, Gelbach and Miller 2011",
        "Berger 1982",
        "Holm 1979",
        "inverse regression",
        "Viering and Loog 2023",
    ):
        assert name in text
    few = replace(audit_report().audit, n_units=60)
    assert "153 images, 60 of them independent" in " ".join(
        one(limits_section(replace(audit_report(), audit=few))).content
    )
