"""Data, time, how to reproduce the run, and what the result does not say."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from headstart.data import Finding
from headstart.report.charts import spans
from headstart.report.pages.fit.report import FitReport
from headstart.report.shell import Section
from headstart.report.words import byte_size, duration
from headstart.runs import SplitPart
from headstart.units import UNITS

PHASES = {
    "data": "read the data",
    "source": "load the source",
    "checks": "data checks",
    "features": "extract features",
    "head": "choose depth and head",
    "baseline": "classical baseline",
    "tune": "train",
    "evaluate": "evaluate",
    "export": "export",
    "write": "write the run",
    "report": "this report",
}


@dataclass(frozen=True)
class Data:
    """What the data checks found and how the data were split."""

    findings: Sequence[Finding]
    parts: Sequence[SplitPart]
    classes: Sequence[str]
    units: str


def data_section(report: FitReport) -> Iterator[Section]:
    """The section on the data."""
    facts = report.facts
    if not facts.parts and not facts.findings:
        return
    content = Data(facts.findings, facts.parts, facts.classes, UNITS[report.data.modality])
    yield Section("data", "Data", "fit/data.html.j2", content, facts.split_origin)


@dataclass(frozen=True)
class Phase:
    """The time of one phase."""

    name: str
    text: str
    share: str
    left: float
    width: float


def cost_section(report: FitReport) -> Iterator[Section]:
    """The section on time and memory, if they were measured."""
    seconds = report.record.seconds
    parts = [(name, value) for name, value in seconds.items() if name not in ("total", "imports")]
    rows = [
        Phase(
            PHASES.get(span.name, span.name.replace("_", " ")),
            duration(span.amount),
            f"{span.width:.0f}%",
            span.left,
            span.width,
        )
        for span in spans(parts)
    ]
    if not rows:
        return
    found = []
    if "total" in seconds:
        found.append(f"{duration(seconds['total'])} in all")
    if report.record.peak_bytes:
        found.append(f"{byte_size(report.record.peak_bytes)} of memory at the peak")
    imports = seconds.get("imports")
    apart = f" (loading libraries, {duration(imports)}, is apart)" if imports else ""
    yield Section("cost", "Time and memory", "fit/cost.html.j2", rows, f"{', '.join(found)}{apart}.")


@dataclass(frozen=True)
class Again:
    """How to make the run again."""

    command: str
    facts: Mapping[str, str]
    environment: Mapping[str, str]


def again_section(report: FitReport) -> Iterator[Section]:
    """The section with the command that makes the run again."""
    command = f"headstart fit --config {shlex.quote(f'{report.facts.run}/headstart.yaml')}"
    yield Section(
        "again",
        "Reproduce",
        "fit/again.html.j2",
        Again(command, _facts(report), report.facts.environment),
        _how_alike(report),
    )


def _how_alike(report: FitReport) -> str:
    """Whether the same command gives the same numbers: not if the time that a machine takes decides what is tried."""
    if report.candidates:
        return "A race tries what the machine has time for within the budget: the same command may give other numbers."
    return (
        "The same command on the same machine gives the same numbers, up to rounding: features that another run left "
        "in the store were computed in other batches."
    )


def _facts(report: FitReport) -> dict[str, str]:
    """Source, policy and stages, then what is known of the source's origin."""
    source = report.source
    facts = {
        "Source": source.uri,
        "Freeze policy": report.record.policy,
        "Head reads": ", ".join(report.head_stages),
        "Trained stages": ", ".join(report.trained_stages),
        "architecture": source.architecture,
        "library": source.library,
        "revision": source.revision,
        "licence": source.licence,
        "upstream task": source.upstream,
        "parameters": f"{source.n_parameters:,}",
        "digest": source.digest[:16],
    }
    return {name: value for name, value in facts.items() if value}


def limits_section(report: FitReport) -> Iterator[Section]:
    """What this result does not say."""
    n_test, data, n_folds = report.counted(report.record.n_test or 0), report.data, report.record.n_folds
    found = [
        f"The scores hold for data like {'these' if n_folds else 'the held-out part'} ({n_test}): "
        "another camera, clinic, microphone or vocabulary is another distribution.",
    ]
    if data.group:
        groups = f" ('{data.group}', {data.n_groups:,} in all)" if data.n_groups else f" ('{data.group}')"
        found.append(
            f"Items of one group{groups} were kept together, and the intervals count them together: "
            "the scores are for a group never seen before."
        )
    else:
        found.append(
            "No group column was given. If several items come from one person, machine or recording, pass "
            "`--group`, else the scores may be too good."
        )
    if report.profile and not n_folds:
        found.append(
            "The depth profile was measured inside the training part; it chose the depth, it is not a result."
        )
    yield Section("limits", "Limits", "shell/prose.html.j2", found)
