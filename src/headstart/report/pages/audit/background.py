"""What each method was given, the time, how to make an audit again, how it was computed, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report import background
from headstart.report.pages.audit.report import AuditReport
from headstart.report.shell import Section, Table
from headstart.report.words import listed
from headstart.runs.audit import Curve, SeenBySource

PHASES = {
    **background.PHASES,
    "source": "load the sources",
    "timing": "time the networks",
    "baseline": "classical features",
    "head": "learn from every draw",
    "tune": "train from scratch",
}


def methods_section(report: AuditReport) -> Iterator[Section]:
    """The section on what each method was given."""
    columns = (("Method", False), ("What it was given", False), ("Measured with", False))
    rows = tuple(
        (
            f"{report.letters[each.name]}  {_named(report, each)}",
            each.given or "",
            _measured(report, each),
        )
        for each in report.audit.curves
    )
    deck = (
        "All methods learn from the same draws of training items and are measured on the same held-out items."
    )
    yield Section("methods", "Methods", "audit/table.html.j2", Table("Methods", columns, rows), deck)


def _named(report: AuditReport, curve: Curve) -> str:
    return (
        f"{report.sources[curve.name]} (transfer)" if curve.role == "transfer" else report.names[curve.name]
    )


def _measured(report: AuditReport, curve: Curve) -> str:
    """With how many seeds, and at which numbers of labels it was not measured."""
    audit = report.audit
    seeds = sorted({point.n_seeds for point in curve.points})
    found = f"{seeds[0]} to {seeds[-1]} seeds" if len(seeds) > 1 else f"{seeds[0]} of {audit.n_seeds} seeds"
    there = {point.n_labels for point in curve.points}
    missing = [f"{each.n_labels:,}" for each in audit.verdicts if each.n_labels not in there]
    return f"{found}; not with {listed(missing)} labels" if missing else found


def cost_section(report: AuditReport) -> Iterator[Section]:
    """The section on time and memory."""
    return background.cost_section(report, PHASES)


def again_section(report: AuditReport) -> Iterator[Section]:
    """The section with the command that makes the audit again."""
    audit, source = report.audit, report.record.source
    sources = {
        f"Source {report.letters[each.name]}": each.name
        for each in audit.curves
        if each.role in ("transfer", "source")
    }
    facts = {
        **sources,
        "Numbers of labels": ", ".join(f"{each.n_labels:,}" for each in audit.verdicts),
        "Seeds": str(audit.n_seeds),
        "digest": source.digest[:16] if source else "",
    }
    how_alike = "The same command on the same machine gives the same scores, up to rounding; times are measured again."
    if any(each.role == "scratch" for each in audit.curves):
        how_alike += " Training from scratch tries what the machine has time for, so its scores may differ."
    yield background.again_section(report, report.facts.command, facts, how_alike)


def limits_section(report: AuditReport) -> Iterator[Section]:
    """How the numbers were computed, and what they do not say."""
    audit = report.audit
    held_out = f"the held-out part ({report.counted(audit.n_held_out)}"
    held_out += f", {audit.n_units:,} of them independent)" if audit.n_units < audit.n_held_out else ")"
    found = [
        "Draws of training items are stratified by class, take whole groups, and are nested: the items of a smaller "
        "number of labels are among those of a larger one with the same seed.",
        "An interval counts both samples, the held-out items and the seeds (two-way clustering; Cameron, Gelbach and "
        "Miller 2011). Differences are paired over both.",
        "Positive means clearly better than every method without pretrained weights (an intersection-union test; "
        "Berger 1982), negative clearly worse than the one that is best on training items. Both are corrected for "
        "looking at several numbers of labels (Holm 1979), at an error rate of 5%.",
        "Labels saved: the least number of labels with which transfer has the score of the other method. Its interval "
        "holds every number at which the difference cannot be told from zero (inverse regression); “at least” and “at "
        "most” mean that the smallest number measured is already enough.",
        "The dashed curve is an inverse power law (Viering and Loog 2023). Its band holds if the curve has that form, "
        "which is why it ends at twice the largest number of labels.",
        "The seconds of a method are those of extraction for its training items and of learning, on this machine, as a "
        "mean over the seeds.",
        _seen(audit.seen),
        *background.limits_of_data(report.data, held_out),
    ]
    yield Section("limits", "How it was computed, and its limits", "shell/prose.html.j2", found, "", "Limits")


def _seen(seen: SeenBySource | None) -> str:
    """What is known of held-out items in the source's own training data."""
    if seen is None:
        return (
            "Whether the source has seen held-out items in its own training is not known. If you have its training "
            "data, `--source-data PATH` finds copies and near copies there."
        )
    there = f"in the source's own training data ({seen.name})"
    return f"{seen.n_seen:,} of the held-out items are {there}, near copies counted."
