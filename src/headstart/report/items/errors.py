"""Which classes are confused: the confusion matrix, the most common confusions, scores per class.

Legend: C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.metrics import confusion_matrix
from headstart.report.items.report import MeasuredReport
from headstart.report.shell import Section
from headstart.units import counted

TABLE_CLASSES = 12
HEATMAP_CLASSES = 120
N_PAIRS = 5

Pair = tuple[
    str, str, int, int
]  # true class, predicted class, number of confusions, number of items of the true class


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix."""

    named: str
    n_items: int
    share: float
    right: bool


@dataclass(frozen=True)
class Row:
    """One true class in the confusion matrix."""

    name: str
    total: int
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Square:
    """One cell of a large confusion matrix, drawn without a number."""

    x: int
    y: int
    share: float
    right: bool
    tip: str


@dataclass(frozen=True)
class ClassScores:
    """One class: how many of its items were found (recall), how often its name was right (precision)."""

    name: str
    n_train: int | None
    n_held_out: int
    recall: float | None
    precision: float | None
    f1: float | None


@dataclass(frozen=True)
class Errors:
    """The section: a table for few classes, squares for many, only the pairs for very many."""

    names: Sequence[str]
    rows: Sequence[Row]
    squares: Sequence[Square]
    pairs: Sequence[Pair]
    classes: Sequence[ClassScores]

    @property
    def trained_on(self) -> bool:
        """Whether it is known how many training items a class has."""
        return any(row.n_train is not None for row in self.classes)

    @property
    def n_classes(self) -> int:
        """C."""
        return len(self.names)


def errors_section(report: MeasuredReport) -> Iterator[Section]:
    """The section, if an item has exactly one class."""
    if not report.targets.task.one_per_item or not len(report.held_out):
        return
    names = report.facts.classes
    matrix = confusion_matrix(report.held_out.codes, report.targets.encode(report.answers), len(names))
    pairs = confused_pairs(matrix, names)
    content = Errors(
        names,
        _rows(matrix, names) if len(names) <= TABLE_CLASSES else (),
        _squares(matrix, names) if TABLE_CLASSES < len(names) <= HEATMAP_CLASSES else (),
        pairs[:N_PAIRS],
        _by_class(report, matrix),
    )
    deck = "Every item was classified correctly."
    if pairs:
        label, predicted, n_items, of = pairs[0]
        deck = f"The most common confusion: “{label}” taken for “{predicted}”, {n_items:,} of {counted(of, 'times')}."
    yield Section("errors", "Where it goes wrong", "items/errors.html.j2", content, deck)


def confused_pairs(matrix: np.ndarray, names: Sequence[str]) -> list[Pair]:
    """All confusions, the most frequent first.

    Args:
        matrix: (C, C) counts, rows the true class, columns the one predicted.
        names: of the C classes.
    """
    pairs = [
        (names[row], names[column], int(matrix[row, column]), int(matrix[row].sum()))
        for row, column in np.argwhere(matrix > 0)
        if row != column
    ]
    return sorted(pairs, key=lambda pair: -pair[2])


def _shares(matrix: np.ndarray) -> np.ndarray:
    """Each count over the total of its row, of shape (C, C)."""
    return np.asarray(matrix / np.maximum(matrix.sum(axis=1)[:, None], 1))


def _rows(matrix: np.ndarray, names: Sequence[str]) -> list[Row]:
    shares = _shares(matrix)
    return [
        Row(
            name,
            int(matrix[row].sum()),
            [
                Cell(
                    names[column],
                    int(matrix[row, column]),
                    round(float(shares[row, column]), 3),
                    row == column,
                )
                for column in range(len(names))
            ],
        )
        for row, name in enumerate(names)
    ]


def _squares(matrix: np.ndarray, names: Sequence[str]) -> list[Square]:
    shares, totals = _shares(matrix), matrix.sum(axis=1)
    return [
        Square(
            int(column),
            int(row),
            round(float(shares[row, column]), 3),
            bool(row == column),
            f"{names[row]}, named {names[column]}: {matrix[row, column]:,} of {totals[row]:,}",
        )
        for row, column in np.argwhere(matrix > 0)
    ]


def _by_class(report: MeasuredReport, matrix: np.ndarray) -> list[ClassScores]:
    rows = []
    for k, name in enumerate(report.facts.classes):
        right, of_class, named = int(matrix[k, k]), int(matrix[k].sum()), int(matrix[:, k].sum())
        rows.append(
            ClassScores(
                name,
                report.n_trained_on(name),
                of_class,
                right / of_class if of_class else None,
                right / named if named else None,
                2 * right / (of_class + named) if of_class + named else None,
            )
        )
    return rows
