"""What is learned: one class an item, any number of labels an item, or a quantity; and its form in numbers.

Labels stay text in `Examples`: a class as the user wrote it, labels joined by `|` (`-` where an item has none),
a quantity as it was written. `Targets.encode` makes the numbers that heads and metrics work on.

Legend: N items, C outputs (classes, labels, or 1 for a quantity).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from headstart.errors import DataError

Task: TypeAlias = Literal["classification", "multilabel", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)
SEPARATOR = "|"
NO_LABEL = "-"  # the text of an item that has none of the labels
THRESHOLD = 0.5  # from which probability on a label is given to an item
N_BINS = 10
FEW = 5  # combinations of labels with fewer items are told apart by their rarest label alone


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

    def encode(self, labels: Iterable[Any]) -> np.ndarray:
        """Labels as numbers: int64 (N,) class numbers, float32 (N, C) of 0 and 1, or float32 (N, 1).

        Args:
            labels: N texts.

        Raises:
            DataError: a label is not among the classes, or is no finite number.
        """
        listed = [str(label) for label in labels]
        if self.task == "regression":
            return np.array([[_number(label)] for label in listed], dtype=np.float32).reshape(-1, 1)
        number = {name: index for index, name in enumerate(self.classes)}
        try:
            if self.task == "classification":
                return np.array([number[label] for label in listed], dtype=np.int64)
            encoded = np.zeros((len(listed), len(self.classes)), dtype=np.float32)
            for row, label in enumerate(listed):
                encoded[row, [number[name] for name in label_names(label)]] = 1.0
            return encoded
        except KeyError as error:
            what = "classes" if self.task == "classification" else "labels"
            raise DataError(f"The label {error} is not among the {len(self.classes)} {what} given.") from None

    def decode(self, outputs_NC: np.ndarray) -> np.ndarray:
        """Outputs as what is predicted, of shape (N,): class names, joined labels, or float64 values.

        Args:
            outputs_NC: probabilities, or values for a quantity, of shape (N, C).
        """
        if self.task == "regression":
            return np.asarray(outputs_NC[:, 0], dtype=np.float64)
        names = np.array(self.classes, dtype=object)
        if self.task == "classification":
            return np.asarray(names[outputs_NC.argmax(axis=1)]) if len(outputs_NC) else names[:0]
        texts = np.empty(len(outputs_NC), dtype=object)
        texts[:] = [joined(names[row >= THRESHOLD]) for row in outputs_NC]
        return texts


def label_names(text: str) -> tuple[str, ...]:
    """The labels in a text such as "cat|dog"; none in "-"."""
    return () if text == NO_LABEL else tuple(text.split(SEPARATOR))


def joined(names: Iterable[str]) -> str:
    """Labels as one text, "-" for none."""
    return SEPARATOR.join(names) or NO_LABEL


def strata(task: Task, encoded: np.ndarray) -> np.ndarray:
    """What a split keeps in proportion: classes, combinations of labels, or ranges of the quantity.

    Rare combinations of labels are taken together by their rarest label; a quantity is cut at its quantiles
    into at most ten ranges.

    Args:
        task: what is learned.
        encoded: what `Targets.encode` gave.

    Returns:
        (N,) int64.
    """
    if task == "classification" or len(encoded) == 0:
        return encoded if task == "classification" else np.zeros(0, dtype=np.int64)
    if task == "regression":
        values = encoded[:, 0]
        n_bins = min(N_BINS, max(1, len(values) // FEW))
        edges = np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1])
        return np.searchsorted(edges, values, side="right").astype(np.int64)
    has = encoded > 0.5
    codes, counts = np.unique(has, axis=0, return_inverse=True, return_counts=True)[1:]
    codes = codes.reshape(-1)
    rarest = np.where(has, has.sum(axis=0), len(has) + 1).argmin(axis=1)
    codes = np.where(counts[codes] < FEW, len(counts) + rarest, codes)
    alone = np.bincount(codes)[codes] < 2
    return np.where(alone, codes.max() + 1, codes).astype(np.int64)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"'{text}' is no number; a quantity needs one for every item.") from None
    if not np.isfinite(value):
        raise DataError(f"'{text}' is not finite; a quantity needs a finite number for every item.")
    return value
