"""The section on what to do next: predict, measure the gain, label items, or what would help if nothing did."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.pages.adapt.words import HALF_WIDTH, as_code, labels_for_gain
from headstart.report.shell import Section


@dataclass(frozen=True)
class Step:
    """One thing to do: why, with which command, on which items."""

    title: str
    text: str
    command: str = ""
    items: Sequence[str] = ()


def todo_section(report: AdaptReport) -> Iterator[Section]:
    """The section on what to do next."""
    steps = [*_predict(report), *_measure(report), *_helps(report), *_label(report)]
    if steps:
        yield Section("next", "What to do next", "adapt/todo.html.j2", steps, "", "Next")


def _predict(report: AdaptReport) -> Iterator[Step]:
    target = report.found.names[1]
    if report.next_command:
        yield Step(
            "Predict",
            f"The run answers new items of {target}; nothing else is needed.",
            report.next_command,
        )


def _measure(report: AdaptReport) -> Iterator[Step]:
    """How to measure the gain where no labels are known."""
    found = report.found
    if report.is_scored or not report.is_adapted:
        return
    labels = labels_for_gain(found)
    if labels is None:
        return
    share = 1 - (found.returned.agreement or 0.0)
    some = (
        f"all {found.n_target:,} items"
        if labels.is_all
        else f"{labels.n_items:,} items drawn at random (not the uncertain ones below, which are harder than others)"
    )
    yield Step(
        "Measure the gain",
        f"The result and source only answer {100 * share:.0f}% of the items differently, so the gain can be at most "
        f"that large. Labels of {some} measure it to within {100 * HALF_WIDTH:.0f} points: write them into the data, "
        "and run the command again.",
        report.facts.command,
    )


def _helps(report: AdaptReport) -> Iterator[Step]:
    """What would help if nothing did."""
    found = report.found
    if report.is_adapted and report.outcome in ("positive", ""):
        return
    what = (
        _undecided(report)
        if report.outcome == "undecided"
        else "Adaptation made the answers worse; source only is safer (`--method none`)."
        if report.outcome == "negative"
        else found.reason
    )
    text = (
        f"{what} Another source may fit both domains better: adapt with another `--source`. "
        "A few labels of the target help more than any method without labels."
    )
    advice = found.shift.get("advice", "")
    yield Step("If this is not good enough", as_code(f"{text} {advice}".strip()))


def _undecided(report: AdaptReport) -> str:
    gain = report.found.returned.gain
    start = "The result is not clearly better than source only."
    if gain is None or gain.value is None or report.sign * gain.value >= 0:
        return start
    return f"{start} It has fewer right answers, which can be chance: `--method none` keeps source only."


def _label(report: AdaptReport) -> Iterator[Step]:
    """The items whose labels would help most."""
    found = report.found
    if not found.to_label:
        return
    n_items = report.counted(len(found.to_label))
    source = shlex.quote(f"run:{report.facts.run}")
    ceiling = (
        ""
        if found.ceiling is None or found.ceiling.value is None
        else " The ceiling above is what all labels of the scored items would give."
    )
    yield Step(
        f"Label {n_items} and learn from them",
        "These are the items that the result is least certain of, spread over the target. Label them, put them into a "
        f"folder or table, and learn from them on the same features.{ceiling} What that would gain cannot be known "
        "without labels.",
        f"headstart fit LABELLED --source {source}",
        found.to_label,
    )
