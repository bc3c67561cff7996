"""A task with the names of its outputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.tasks.task import Task


@dataclass(frozen=True)
class Targets:
    """The task with the names of its outputs.

    Attributes:
        task: what is learned.
        classes: names of the C outputs: classes, labels, or the target's own name for a quantity.
    """

    task: Task
    classes: tuple[str, ...]

    @property
    def n_outputs(self) -> int:
        """C."""
        return len(self.classes)

    def encode(self, labels: Iterable[Any]) -> NDArray[Any]:
        """Labels as numbers: int64 (N,) class numbers, float32 (N, C) of 0 and 1, or float32 (N, 1) values.

        Args:
            labels: N texts.

        Raises:
            DataError: a label is not among the classes, or is not a finite number.
        """
        return self.task.encode([str(label) for label in labels], self.classes)

    def has(self, codes: NDArray[Any], name: str) -> NDArray[np.bool_]:
        """Whether items have a class or label, of shape (N,).

        Args:
            codes: labels of N items, as `encode` returns them.
            name: of the class or label.
        """
        column = self.classes.index(name)
        return np.asarray(codes[:, column] > 0 if self.task.many_per_item else codes == column)

    def decode(self, outputs_NC: NDArray[np.floating]) -> NDArray[Any]:
        """Predictions from outputs, of shape (N,): class names, joined labels, or float64 values.

        Args:
            outputs_NC: probabilities, or values for a quantity, of shape (N, C).
        """
        return self.task.decode(outputs_NC, self.classes)
