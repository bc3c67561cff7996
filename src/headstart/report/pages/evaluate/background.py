"""Time, how to make an evaluation again, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report import background
from headstart.report.pages.evaluate.report import EvaluateReport
from headstart.report.shell import Section

PHASES = {**background.PHASES, "predict": "predict the items", "evaluate": "score them"}


def cost_section(report: EvaluateReport) -> Iterator[Section]:
    """The section on time and memory."""
    yield from background.cost_section(report, PHASES)


def again_section(report: EvaluateReport) -> Iterator[Section]:
    """The section with the command that makes the evaluation again."""
    facts = {"Run": report.found.run, "Data": report.data.name, "Labels": report.data.target}
    yield background.again_section(report, report.facts.command, facts)


def limits_section(report: EvaluateReport) -> Iterator[Section]:
    """What the evaluation does not say."""
    found = background.limits_of_data(report.data, f"these ({report.counted(report.record.n_test or 0)})")
    found.append(
        "Items that the run has learned from are recognised if their content is the same; near copies of them, and "
        "other items of the same person or place, are not."
    )
    yield Section("limits", "Limits", "shell/prose.html.j2", found)
