"""Tasks: what is learned; one object per task, which other code uses instead of comparing names."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.errors import OptionError, did_you_mean
from headstart.tasks.classification import Classification
from headstart.tasks.labels import NO_LABEL, SEPARATOR, joined, label_names, natural_order, plain_name
from headstart.tasks.multilabel import Multilabel
from headstart.tasks.regression import LARGEST, Regression
from headstart.tasks.scale import OWN, TargetScale
from headstart.tasks.targets import Targets
from headstart.tasks.task import Task

CLASSIFICATION = Classification()
MULTILABEL = Multilabel()
REGRESSION = Regression()
TASKS: Mapping[str, Task] = {task.name: task for task in (CLASSIFICATION, MULTILABEL, REGRESSION)}


def task_named(name: str | None) -> Task:
    """Return the task of a name, as options and files write it.

    Args:
        name: None: classification, as in files of older versions, which had only classification.

    Raises:
        OptionError: there is no such task.
    """
    if name is None:
        return CLASSIFICATION
    if name not in TASKS:
        raise OptionError(f"task must be one of {', '.join(TASKS)}, got {name!r}.{did_you_mean(name, TASKS)}")
    return TASKS[name]


__all__ = [
    "CLASSIFICATION",
    "LARGEST",
    "MULTILABEL",
    "NO_LABEL",
    "OWN",
    "REGRESSION",
    "SEPARATOR",
    "TASKS",
    "TargetScale",
    "Targets",
    "Task",
    "joined",
    "label_names",
    "natural_order",
    "plain_name",
    "task_named",
]
