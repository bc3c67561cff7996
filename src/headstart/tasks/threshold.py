"""A threshold on the probability of one class or label, in the place of the usual answer.

    one class per item     the class, where its probability is at least t; else the likeliest of the others
    several labels         the label, where its probability is at least t; other labels from one half on

Legend: N items, C classes or labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.tasks.labels import joined
from headstart.tasks.multilabel import THRESHOLD
from headstart.tasks.targets import Targets


@dataclass(frozen=True)
class Threshold:
    """From which probability on an item is given a class or label.

    Attributes:
        name: of the class or label.
        value: the least probability, from 0 to 1.
    """

    name: str
    value: float

    def calls(self, outputs_NC: NDArray[np.floating], classes: tuple[str, ...]) -> NDArray[np.bool_]:
        """Whether each item is given the class or label, of shape (N,).

        Args:
            outputs_NC: probabilities, of shape (N, C).
            classes: of the C columns.
        """
        return np.asarray(outputs_NC[:, classes.index(self.name)].astype(np.float64) >= self.value)

    def answers(self, outputs_NC: NDArray[np.floating], targets: Targets) -> NDArray[Any]:
        """Predictions from outputs, as `Targets.decode` returns them, of shape (N,).

        Args:
            outputs_NC: probabilities, of shape (N, C).
            targets: the task with the names of its outputs.
        """
        column, called = targets.classes.index(self.name), self.calls(outputs_NC, targets.classes)
        outputs = np.array(outputs_NC, dtype=np.float64)
        if targets.task.many_per_item:
            chosen = outputs >= THRESHOLD
            chosen[:, column] = called
            names = np.array(targets.classes, dtype=object)
            texts = np.empty(len(outputs), dtype=object)
            texts[:] = [joined(names[row]) for row in chosen]
            return texts
        outputs[:, column] = np.where(called, np.inf, -np.inf)
        return targets.decode(outputs)
