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

_LIKELY_NEGATIVE = "transfer from this source is likely to be negative"
_MAY_NOT_HELP = "transfer from this source may not help"
_NOT_CLEAR = "it is not clear whether transfer from this source helps"


def foreseen_lead(found: Foreseen) -> str:
    """The risk in a few words; "" if the head is better beyond chance."""
    if found.outcome == "undecided":
        return _NOT_CLEAR if is_ahead(found) else _MAY_NOT_HELP
    return _LIKELY_NEGATIVE if found.outcome == "worse" else ""


def is_ahead(found: Foreseen) -> bool:
    """Whether the head has the better score, whether beyond chance or not."""
    return found.head_alone > found.classical  # of a quality, more is better


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
    how, behind = "cannot be told apart from", ""
    if found.outcome == "worse":
        how = "is worse than"
    elif is_ahead(found):
        how, behind = "is ahead of", ", but not clearly"
    return (
        f"before any training, the chosen head on its features {how} classical features "
        f"({CLASSICAL[modality].split(',')[0]}){behind}: {lowered(metric_named(key).label)} "
        f"{number(found.head_alone, key)} and {number(found.classical, key)} by cross-validation on "
        f"{found.n_items:,} training items ({interval})"
    )


def foreseen_notice(report: FitReport) -> Iterator[Notice]:
    """The risk that was foreseen, if the head alone was not better beyond chance."""
    block = report.record.extra.get("foreseen")
    found = None if block is None else Foreseen.of_json(block)
    lead = "" if found is None else foreseen_lead(found)
    if found is None or not lead:
        return
    text = foreseen_words(found, report.targets.task, report.data.modality)
    yield Notice(
        "warning" if found.outcome == "worse" else "note",
        f"Foreseen: {lead}",
        f"{text[0].upper()}{text[1:]}.",
    )
