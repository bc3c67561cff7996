"""Decide what the labels are (classes, sets of labels, a quantity), and refuse those that do not fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.data.examples import Examples, string_array
from headstart.errors import DataError
from headstart.tasks import (
    CLASSIFICATION,
    LARGEST,
    MULTILABEL,
    NO_LABEL,
    REGRESSION,
    SEPARATOR,
    Task,
    joined,
)

_FEW_VALUES = 20
_NO_NUMBER = "is not a number"


def with_task(examples: Examples, task: Task | None, required: bool = True) -> Examples:
    """The examples with their task and with checked labels in its form; those without labels as they are.

    If no task is given, lists are several labels per item, many numbers with fractions are a quantity, and
    everything else is classes; a note says what was decided.

    Args:
        examples: N items as read.
        task: as given by the user, or None.
        required: every item needs a label, and the labels must differ; else items may have none.

    Raises:
        DataError: labels are missing or do not fit the task; the message names row and remedy.
    """
    if required:
        _refuse_missing(examples, task)
    if examples.labels is None or not examples.labelled.any():
        return replace(examples, labels=None)
    where = _where(examples)
    known = examples.take(examples.labelled)
    labels = np.asarray(known.labels)
    listed = _lists(labels)
    note = ""
    if task is None:
        task, note = _inferred(labels, listed is not None, examples.target, where)
    kept = labels
    if task.many_per_item:
        sets = listed if listed is not None else _split_cells(labels)
        kept = string_array(_checked_sets(sets, known.names, where))
    elif not task.has_classes:
        _refuse_text(labels, known.names, where)
    if required and len(set(kept)) == 1:
        what = task.words.answer[1]
        raise DataError(
            f"{where}: all {len(kept):,} items have the same value '{kept[0]}'. At least two {what} are needed."
        )
    everywhere = np.asarray(examples.labels).copy()
    everywhere[examples.labelled] = kept
    notes = (*examples.notes, note) if note else examples.notes
    return replace(examples, labels=everywhere, task=task, notes=notes)


def require_labels(examples: Examples) -> None:
    """Refuse items without a label.

    Raises:
        DataError: naming the column and the first rows.
    """
    if examples.labels is None:
        raise DataError(
            "the data has no labels to learn: name their column with --target, or put files into one folder per class"
        )
    _refuse_missing(examples, examples.task)


def _where(examples: Examples) -> str:
    return f"{examples.where or 'the data'}: column '{examples.target}'"


def _refuse_missing(examples: Examples, task: Task | None) -> None:
    if examples.labels is None or examples.labelled.all():
        return
    names = examples.names[~examples.labelled]
    shown = ", ".join(str(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")
    remedy = "Fill in the labels or remove these rows."
    if task is not None and task.many_per_item:
        remedy = f"Write {NO_LABEL} for an item that has none of the labels, or remove these rows."
    raise DataError(
        f"{_where(examples)} is empty for {len(names):,} of {len(examples):,} items ({shown}). {remedy}"
    )


def _inferred(labels: np.ndarray, lists: bool, column: str, where: str) -> tuple[Task, str]:
    """The task that the labels suggest, and a sentence if it is not obvious."""
    if lists:
        return MULTILABEL, (
            f"Column '{column}' holds lists: an item may have several labels (multilabel). For one class each, pass "
            "--task classification."
        )
    distinct = set(labels)
    numbers = _numbers(distinct) if len(distinct) > _FEW_VALUES else None
    if numbers is not None and (numbers != np.floor(numbers)).any():
        return REGRESSION, (
            f"Column '{column}' holds {len(distinct):,} different numbers, with fractions: taken as a quantity "
            "(regression). For classes, pass --task classification."
        )
    if numbers is not None and len(distinct) > 0.5 * len(labels):
        example = ", ".join(sorted(distinct)[:3])
        raise DataError(
            f"{where} holds {len(distinct):,} different whole numbers ({example}, ...) for {len(labels):,} "
            "items. To learn them as a quantity pass --task regression; as classes, --task classification; or "
            "pass another --target."
        )
    several = next((label for label in labels if SEPARATOR in label or ";" in label), None)
    if several is None:
        return CLASSIFICATION, ""
    return CLASSIFICATION, (
        f"Values of column '{column}' such as '{several}' are taken as one class each. If they are several "
        "labels, pass --task multilabel."
    )


def _numbers(values: set[str]) -> np.ndarray | None:
    """The values as finite numbers, or None if one of them is not."""
    found = [_finite(value) for value in values]
    return None if any(number is None for number in found) else np.array(found, dtype=np.float64)


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in text else None


def _refuse_text(labels: np.ndarray, names: np.ndarray, where: str) -> None:
    """Refuse a quantity with a value that is not a finite number, or too large."""
    faults = {row: fault for row, label in enumerate(labels) if (fault := _fault_of_value(label))}
    if not faults:
        return
    row, fault = next(iter(faults.items()))
    text = str(labels[row])
    others = f" ({len(faults):,} such rows)" if len(faults) > 1 else ""
    comma = " Write decimal points, not commas." if _finite(text.replace(",", ".")) is not None else ""
    raise DataError(
        f"{where}, {names[row]}: '{text}' {fault}{others}; --task regression needs a finite number in every "
        f"row.{comma if fault == _NO_NUMBER else ''} Correct or remove these rows, or pass another --target."
    )


def _fault_of_value(text: str) -> str:
    """What is wrong with a value of a quantity, as a clause; "" if nothing is."""
    value = _finite(text)
    if value is not None:
        return (
            "" if abs(value) <= LARGEST else f"is larger than {LARGEST:g}: give the quantity in a larger unit"
        )
    infinite = text.strip().lower().lstrip("+-") in ("nan", "inf", "infinity")
    return "is not finite" if infinite else _NO_NUMBER


def _lists(labels: np.ndarray) -> list[list[str]] | None:
    """The cells as lists of names if each of them is a JSON list of single values, else None."""
    if not all(label.startswith("[") and label.endswith("]") for label in labels):
        return None
    rows = []
    for label in labels:
        try:
            row = json.loads(label, parse_float=str, parse_int=str)
        except ValueError:
            return None
        if any(isinstance(value, (list, dict)) for value in row):
            return None
        rows.append([str(value) for value in row if value is not None])
    return rows


def _split_cells(labels: np.ndarray) -> list[list[str]]:
    """The names in cells joined by `|`, or by `;` if no cell holds a `|`."""
    separator = SEPARATOR if any(SEPARATOR in label for label in labels) else ";"
    return [[] if label.strip() == NO_LABEL else label.split(separator) for label in labels]


def _checked_sets(sets: Sequence[Sequence[str]], names: np.ndarray, where: str) -> list[str]:
    """Each set as one text: names without outer spaces, each once, in order."""
    texts = []
    for row, given in enumerate(sets):
        kept = sorted({name.strip() for name in given} - {""})
        bad = next((name for name in kept if SEPARATOR in name or name == NO_LABEL), None)
        if bad is not None:
            raise DataError(
                f"{where}, {names[row]}: '{bad}' cannot be the name of a label: {SEPARATOR} separates "
                f"labels, and {NO_LABEL} means none. Rename it."
            )
        texts.append(joined(kept))
    return texts
