"""Labels of predicted data that a run does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.data.findings import listed
from headstart.progress import say
from headstart.tasks import task_named
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.runs import Predictions

N_SHOWN = 8  # classes in a message


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
        named = listed((f"'{name}' ({counted(n_items[name], 'items')})" for name in unknown), N_SHOWN)
        say(
            f"warning: the run does not know {counted(len(unknown), 'classes')} of the data, and is wrong on all of "
            f"their items: {named}. It knows {listed(predictions.classes, N_SHOWN)}"
        )
