"""`FinishedRun`: what is recorded of a finished run, one row of the record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class FinishedRun:
    """What is recorded of a finished run. Neither names of items, classes or folders of data, nor any item.

    Attributes:
        finished: when, in UTC, as ISO 8601.
        headstart: version that made the run.
        data_digest: sha256 over the content and the labels of all items.
        modality: "image", "text" or "audio".
        task: its name, one of `headstart.tasks.TASKS`.
        n_items: number of items of all parts.
        n_classes: number of classes or labels; 0 for a quantity.
        item_size: median over items: pixels of the shorter side, characters, or seconds; None if unknown.
        source: URI of the source, as the user named it.
        source_digest: sha256 over its weights, architecture and configuration.
        preprocessing_digest: sha256 over its preprocessing.
        n_parameters: of the source, without its upstream head.
        policy: what was frozen in the result.
        n_train: number of items that the head alone was learned from; with folds their mean.
        n_test: number of items that the scores are of.
        metric: key of the scores, which leads the report of the task.
        value, low, high: score of the result with its 95% interval; None where not defined.
        head_alone, head_alone_low, head_alone_high: the same of the head alone on the same items.
    """

    finished: str
    headstart: str
    data_digest: str
    modality: str
    task: str
    n_items: int
    n_classes: int
    item_size: float | None
    source: str
    source_digest: str
    preprocessing_digest: str
    n_parameters: int
    policy: str
    n_train: int
    n_test: int
    metric: str
    value: float | None
    low: float | None
    high: float | None
    head_alone: float | None
    head_alone_low: float | None
    head_alone_high: float | None


COLUMNS = tuple(field.name for field in fields(FinishedRun))
_KINDS = {field.name: str(field.type) for field in fields(FinishedRun)}
_SQL = {"str": "TEXT NOT NULL", "int": "INTEGER NOT NULL", "float | None": "REAL"}
SQL_COLUMNS = ", ".join(f"{name} {_SQL[kind]}" for name, kind in _KINDS.items())


def from_row(values: Sequence[Any]) -> FinishedRun | None:
    """A row of the record, in the order of `COLUMNS`; None if a value is of another kind than its column holds."""
    for kind, value in zip(_KINDS.values(), values, strict=True):
        fits = {
            "str": isinstance(value, str),
            "int": isinstance(value, int) and value >= 0,
            "float | None": value is None or (isinstance(value, (int, float)) and math.isfinite(value)),
        }
        if not fits[kind]:
            return None
    return FinishedRun(*values)
