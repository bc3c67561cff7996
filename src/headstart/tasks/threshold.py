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

    def answers(self, outputs_NC: NDArray[np.floating], targets: Targets) -> NDArray[Any]:
        """Predictions from outputs, as `Targets.decode` returns them, of shape (N,).

        Args:
            outputs_NC: probabilities, of shape (N, C).
            targets: the task with the names of its outputs.
        """
        column = targets.classes.index(self.name)
        outputs = np.array(outputs_NC, dtype=np.float64)
        outputs[:, column] = np.where(outputs[:, column] >= self.value, np.inf, -np.inf)
        return targets.decode(outputs)
