"""How the explanations were made, what they do not say, time, and how to make them again."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report import background
from headstart.report.pages.explain.items import CALLED
from headstart.report.pages.explain.report import ExplainReport
from headstart.report.shell import Section

PHASES = {**background.PHASES, "explain": "explain and test"}


def limits_section(report: ExplainReport) -> Iterator[Section]:
    """How they were made, and what they do not say."""
    found, called = report.found, CALLED[report.data.modality]
    to_explain, to_test = found.removed
    lines = [
        f"Each item is computed in up to {found.n_variants:,} variants in which some {called} are {to_explain}. The "
        "attribution of a part says how much higher the answer is where it is present, whichever others are: it is the "
        "coefficient of a ridge regression on these variants (LIME, Ribeiro et al. 2016).",
        f"In the test {called} are removed in another way: they are {to_test}. So the test does not only repeat what "
        "the explanations were made from.",
        "An explanation says what this run uses, right or wrong. It does not say what causes the class, nor that the "
        "run would be right for the same reason elsewhere.",
        f"Items without some {called} are unlike anything that the run has learned from, and its answers for them are "
        "less sure than they look. Parts that matter only together share their attribution.",
        "The test is about the mean of these items. A single explanation may still be wrong.",
    ]
    yield Section("limits", "How to read this, and limits", "shell/prose.html.j2", lines, contents="Limits")


def cost_section(report: ExplainReport) -> Iterator[Section]:
    """The section on time and memory."""
    yield from background.cost_section(report, PHASES)


def again_section(report: ExplainReport) -> Iterator[Section]:
    """The section with the command that makes the explanations again."""
    facts = {"Run": report.found.run, "Items": report.data.name, "Explained": report.found.output}
    yield background.again_section(report, report.facts.command, facts)
