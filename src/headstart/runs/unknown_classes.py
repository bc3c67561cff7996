"""Labels of predicted data that a run does not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headstart.progress import say
from headstart.tasks import task_named
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.runs import Predictions


def report_unknown_classes(predictions: Predictions) -> None:
    """Report the labels of the data that the run does not know: it can predict none of them.

    Args:
        predictions: with or without labels.
    """
    task = task_named(predictions.task)
    if predictions.labels is None or not task.has_classes:
        return
    n_items = task.counts(predictions.labels)
    unknown = sorted(set(n_items) - set(predictions.classes))
    if unknown:
        named = _named([f"'{name}' ({counted(n_items[name], 'items')})" for name in unknown])
        say(
            f"warning: the run does not know {counted(len(unknown), 'classes')} of the data, and is wrong on all of "
            f"their items: {named}. It knows {_named(predictions.classes)}"
        )


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8:,} more" if len(names) > 8 else "")
