"""Items and labels that a script or scikit-learn passes, checked before anything is read or learned."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.examples import is_missing
from headstart.data.in_memory import as_item, is_one_object
from headstart.errors import DataError

_KINDS = "a list of paths, texts, PIL images or recordings, or an array of pictures"
_ONE_EACH = "y must hold one label per item"


def items_of(X: Any, name: str = "X") -> Any:
    """Items as a list or an array of pictures; pictures and recordings of other libraries become arrays and bytes.

    Args:
        X: a list or array, or a column of a table; also one PIL image or recording (see `as_item`).
        name: of the argument, for messages.

    Raises:
        DataError: it is no list of items, or an item is missing.
    """
    if hasattr(X, "columns"):
        if len(X.columns) != 1:
            raise DataError(
                f"{name} is a table of {len(X.columns)} columns: pass one, such as {name}['text']"
            )
        X = X[X.columns[0]]
    if is_one_object(X):
        X = [X]
    if hasattr(X, "column_names"):
        raise DataError(f"{name} is a data set of several columns: pass one, such as {name}['text']")
    if not isinstance(X, str | bytes | Sequence) and not hasattr(X, "ndim") and hasattr(X, "__getitem__"):
        X = list(X)  # a column of `datasets`
    listed = X.tolist() if _is_flat(X) else X
    is_one = isinstance(listed, str | bytes | Path | Mapping) or getattr(listed, "ndim", 1) == 0
    if is_one or not hasattr(listed, "__getitem__"):
        raise DataError(f"{name} must be {_KINDS}, got {type(X).__name__}")
    if isinstance(listed, Sequence):
        _refuse_missing(listed, name)
        return [as_item(value, f"{name}[{place}]") for place, value in enumerate(listed)]
    return listed


def is_one_column(X: Any) -> bool:
    """Whether it is a table of a single column, whose values are the items whatever it is called.

    Args:
        X: any.
    """
    return hasattr(X, "columns") and len(X.columns) == 1


def require_modality(items: Any, modality: str, name: str) -> None:
    """Refuse texts where pictures or recordings are expected, and pictures where texts or recordings are.

    Args:
        items: as `items_of` gives them, at least one; the first decides.
        modality: that is expected.
        name: of the argument, for messages.

    Raises:
        DataError: they are of another one.
    """
    first = items[0]
    is_text = isinstance(first, str) and not Path(first).suffix and not os.path.exists(first)
    found = "image" if isinstance(first, np.ndarray) else "text" if is_text else modality
    if found != modality:
        raise DataError(f"{name} holds {found}, and X {modality}: both must be of one kind")


def classes_and_codes(y: Any) -> tuple[np.ndarray, np.ndarray]:
    """The sorted labels, of shape (n_classes,), and the number of each item's label, of shape (n_items,).

    Args:
        y: one label per item, of any one type.

    Raises:
        DataError: they are not one per item, one is missing, or they cannot be sorted.
    """
    if isinstance(y, str | bytes | Mapping) or not isinstance(y, Iterable):
        raise DataError(f"{_ONE_EACH}, got {type(y).__name__}")
    given = np.asarray(y) if hasattr(y, "__array__") else list(y)
    if isinstance(given, np.ndarray):
        given = given.reshape(-1) if given.shape[1:] == (1,) else given  # a table of one column
        if given.ndim != 1:
            raise DataError(f"{_ONE_EACH}, got shape {given.shape}")
    _refuse_missing(given.tolist() if isinstance(given, np.ndarray) else given, "y")
    try:
        labels = np.asarray(given)
        classes, codes = np.unique(labels, return_inverse=True)
    except (TypeError, ValueError):  # of several types, or lists of several lengths
        kinds = ", ".join(sorted({type(label).__name__ for label in given}))
        raise DataError(f"{_ONE_EACH}, all of one type, got {kinds}") from None
    if labels.ndim != 1:
        raise DataError(f"{_ONE_EACH}, got shape {labels.shape}")
    return classes, codes


def _is_flat(values: Any) -> bool:
    """Whether it is an array or a column of a table, which may be numbered from anywhere."""
    return getattr(values, "ndim", None) == 1 and hasattr(values, "tolist")


def _refuse_missing(values: Iterable[Any], name: str) -> None:
    for place, value in enumerate(values):
        if is_missing(value):
            raise DataError(f"{name}[{place}] is missing ({value}): leave these items out")
