"""Weights of items: how much each counts in learning, from a column of a table or from a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.columns import require_column
from headstart.errors import DataError, shortened

Float = NDArray[np.float64]
LARGEST = 1e100  # sums of larger ones could overflow
_RULE = f"must be a number from 0 to {LARGEST:g}"


def weights_from(
    columns: Mapping[str, np.ndarray],
    asked: str | None,
    taken: Sequence[str | None],
    names: np.ndarray,
    where: str,
) -> tuple[str | None, Float | None]:
    """The column of the weights, and the weight of each row; None for both if none was named.

    Args:
        columns: of a table, (n_items,) strings each.
        asked: as given with --weight.
        taken: columns that are something else.
        names: (n_items,) how the rows are called.
        where: the file, for messages.

    Raises:
        DataError: there is no such column, it is something else, or a value is no weight.
    """
    if asked is None:
        return None, None
    column = require_column(asked, columns, where, "--weight")
    if column in taken:
        raise DataError(
            f"{where}: column '{column}' (--weight) is the target, the group or the item too. Name another one."
        )
    return column, checked_weights(columns[column], names, f"{where}, column '{column}' (--weight)")


def checked_weights(
    values: Sequence[Any] | np.ndarray, names: Sequence[str] | np.ndarray, where: str
) -> Float:
    """Weights as numbers, of shape (n_items,), float64.

    Args:
        values: one per item: numbers, or texts of numbers.
        names: how the items are called.
        where: what the weights are called, for messages.

    Raises:
        DataError: one is missing, negative or too large, or all are 0.
    """
    found = np.array([_number(value) for value in values], dtype=np.float64)
    wrong = np.flatnonzero(~((found >= 0) & (found <= LARGEST)))
    if len(wrong):
        first = int(wrong[0])
        more = f" ({len(wrong):,} items)" if len(wrong) > 1 else ""
        raise DataError(
            f"{where}: the weight of {names[first]} {_RULE}, got {shortened(repr(values[first]))}{more}. "
            "Correct it, or leave the item out."
        )
    if not found.any():
        raise DataError(
            f"{where}: all weights are 0, so nothing can be learned. Give some item a weight above 0."
        )
    return found


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
