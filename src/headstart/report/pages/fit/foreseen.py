"""What was foreseen before training: the head alone beside classical features, on the same training folds."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.metrics import metric_named
from headstart.report.pages.fit.report import FitReport
from headstart.report.pages.fit.words import CLASSICAL
from headstart.report.shell import Notice
from headstart.report.words import difference, lowered, number
from headstart.runs.foreseen import Foreseen
from headstart.tasks import Task

LEADS = {
    "worse": "transfer from this source is likely to be negative",
    "undecided": "transfer from this source may not help",
}


def foreseen_words(found: Foreseen, task: Task, modality: str) -> str:
    """What was found, in a sentence without its full stop.

    Args:
        found: what was foreseen, of the outcome "worse" or "undecided".
        task: what is learned.
        modality: of the data.
    """
    key, compared = task.quality_name(), task.verdict_metric
    between = difference(found.difference, compared)
    measured = "" if key == compared else f" of {lowered(metric_named(compared).label)}"
    interval = (
        f"95% interval of the difference{measured}: {between}"
        if between
        else f"no interval: {found.difference.why}"
    )
    how = "is worse than" if found.outcome == "worse" else "cannot be told apart from"
    return (
        f"before any training, the best head on its features {how} classical features "
        f"({CLASSICAL[modality].split(',')[0]}): {lowered(metric_named(key).label)} "
        f"{number(found.head_alone, key)} and {number(found.classical, key)} by cross-validation on "
        f"{found.n_items:,} training items ({interval})"
    )


def foreseen_notice(report: FitReport) -> Iterator[Notice]:
    """The risk that was foreseen, if the head alone was not better beyond chance."""
    block = report.record.extra.get("foreseen")
    found = None if block is None else Foreseen.of_json(block)
    if found is None or found.outcome not in LEADS:
        return
    lead = LEADS[found.outcome]
    text = foreseen_words(found, report.targets.task, report.data.modality)
    yield Notice(
        "warning" if found.outcome == "worse" else "note",
        f"Foreseen: {lead}",
        f"{text[0].upper()}{text[1:]}.",
    )
