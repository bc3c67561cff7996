"""Time, how to make an adaptation again, how it was computed, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report import background
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.shell import Section

PHASES = {
    **background.PHASES,
    "adapt": "fit and compare methods",
    "shift": "find the kind of shift",
    "statistics": "batch-norm statistics of each domain",
    "picture": "draw both domains",
}


def cost_section(report: AdaptReport) -> Iterator[Section]:
    """The section on time and memory."""
    return background.cost_section(report, PHASES)


def again_section(report: AdaptReport) -> Iterator[Section]:
    """The section with the command that makes the adaptation again."""
    source = report.record.source
    facts = {
        "Source": source.uri if source else "",
        "digest": source.digest[:16] if source else "",
        "Stages read": ", ".join(report.found.stages),
        "Method": report.found.method,
    }
    how_alike = "The same command on the same machine gives the same result."
    yield background.again_section(report, report.facts.command, facts, how_alike)


def limits_section(report: AdaptReport) -> Iterator[Section]:
    """How the numbers were computed, and what they do not say."""
    found = report.found
    scored = (
        "The items that are scored are among those that were adapted on, without their labels (transductive): scores "
        "on items that come later may be lower. `--holdout 0.5` measures that."
    )
    if found.held_out:
        scored = "The items that are scored were set aside: nothing was adapted on them."
    start = (
        "Source only is what a fit of the labelled domain predicts with: depth and head chosen there by "
        "cross-validation. Every method reads the same depth."
    )
    if found.from_run:
        start = (
            f"Source only is the head of the run. The run keeps no items of {found.names[0]}: methods learned from "
            "points drawn from class means and the shared spread of its features, which a normal distribution "
            "describes only roughly."
        )
    texts = [
        start,
        scored,
        "Labels of the target, if there are any, are read apart and only score the result.",
        *background.limits_of_data(report.data, found.names[1]),
    ]
    yield Section("limits", "How it was computed, and its limits", "shell/prose.html.j2", texts, "", "Limits")
