"""Sections that every kind of run ends with: the data, the time, how to make it again, and what the data leave open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from headstart.data import Finding
from headstart.data.in_memory_data import is_in_memory
from headstart.report.charts import spans
from headstart.report.reported import Reported
from headstart.report.shell import Notice, Section
from headstart.report.words import byte_size, duration
from headstart.runs import DataFacts, SplitPart
from headstart.units import UNITS

PHASES = {
    "data": "read the data",
    "source": "load the source",
    "checks": "data checks",
    "source data": "read the source's data",
    "features": "extract features",
    "head": "choose depth and head",
    "baseline": "classical baseline",
    "tune": "train",
    "evaluate": "evaluate",
    "export": "export",
    "write": "write the run",
    "report": "this report",
}


SAME_NUMBERS = "The same command on the same machine gives the same numbers."
_APART = ("seen_by_source",)  # kinds of findings that have a notice of their own


@dataclass(frozen=True)
class Data:
    """What the data checks found and how the data were split."""

    findings: Sequence[Finding]
    parts: Sequence[SplitPart]
    classes: Sequence[str]
    units: str


def data_section(report: Reported) -> Iterator[Section]:
    """The section on the data."""
    facts = report.facts
    if not facts.parts and not facts.findings:
        return
    content = Data(facts.findings, facts.parts, facts.classes, UNITS[report.data.modality])
    yield Section("data", "Data", "background/data.html.j2", content, facts.split_origin)


def checks_notice(report: Reported) -> Iterator[Notice]:
    """The notice on what the data checks found, if it is more than a note."""
    grave = [f for f in report.facts.findings if f.severity != "note" and f.kind not in _APART]
    if not grave:
        return
    texts = [f.message.rstrip(".") for f in grave[:2]]
    more = f" And {len(grave) - 2} more, below." if len(grave) > 2 else ""
    yield Notice(
        "error" if any(f.severity == "error" for f in grave) else "warning",
        "The data checks found something",
        ". ".join(texts) + "." + more,
    )


@dataclass(frozen=True)
class Phase:
    """The time of one phase."""

    name: str
    text: str
    share: str
    left: float
    width: float


def cost_section(report: Reported, names: Mapping[str, str] = PHASES) -> Iterator[Section]:
    """The section on time and memory, if they were measured.

    Args:
        report: of the run.
        names: what is done in a phase, in words.
    """
    seconds = report.record.seconds
    parts = [(name, value) for name, value in seconds.items() if name not in ("total", "imports")]
    rows = [
        Phase(
            names.get(span.name, span.name.replace("_", " ")),
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
    yield Section("cost", "Time and memory", "background/cost.html.j2", rows, f"{', '.join(found)}{apart}.")


@dataclass(frozen=True)
class Again:
    """How to make a run again."""

    command: str
    facts: Mapping[str, str]
    environment: Mapping[str, str]


def again_section(
    report: Reported, command: str, facts: Mapping[str, str | None], how_alike: str = SAME_NUMBERS
) -> Section:
    """The section with the command that makes the run again.

    Args:
        report: of the run.
        command: makes it again; left out if it would have to name data that a script held.
        facts: what it was made from, by name; empty ones are left out.
        how_alike: whether the same command gives the same numbers.
    """
    known = {name: value for name, value in facts.items() if value}
    if is_in_memory(report.data.name):
        command, how_alike = "", f"{_again_in_python(report)} {how_alike}"
    return Section(
        "again",
        "Reproduce",
        "background/again.html.j2",
        Again(command, known, report.facts.environment),
        how_alike,
    )


def _again_in_python(report: Reported) -> str:
    return (
        f"No command makes this run again, since a script held the data ({report.data.name}): call "
        f"headstart.{report.record.kind} with the same data and the options in headstart.yaml."
    )


def limits_of_data(data: DataFacts, like: str) -> list[str]:
    """What the data leave open, whatever was learned from them.

    Args:
        data: the data set.
        like: the items that the numbers hold for: "the held-out part (55 images)".
    """
    found = [
        f"The scores hold for data like {like}: "
        "another camera, clinic, microphone or vocabulary is another distribution."
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
    return found
