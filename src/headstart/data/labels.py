"""Refuse labels that cannot be classes: missing, of one kind only, or measured numbers."""

from __future__ import annotations

import numpy as np

from headstart.errors import DataError


def check_labels(labels: np.ndarray, names: np.ndarray, where: str, column: str) -> None:
    """Refuse labels that cannot be classes.

    Args:
        labels: (n_items,) strings.
        names: (n_items,) how the items are called.
        where: the file or folder.
        column: the target's name.

    Raises:
        DataError: some are missing, only one class is there, or they are measured numbers.
    """
    missing = np.flatnonzero(labels == "")
    if len(missing):
        shown = ", ".join(str(names[row]) for row in missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise DataError(
            f"{where}: column '{column}' is empty for {len(missing):,} of {len(labels):,} items ({shown}). "
            "Fill in the labels or take these rows out."
        )
    distinct = set(labels)
    if len(distinct) == 1:
        raise DataError(
            f"{where}: all {len(labels):,} items have the one {column} '{labels[0]}'. At least two "
            "classes are needed."
        )
    if _measured(labels, distinct):
        example = ", ".join(sorted(distinct)[:3])
        raise DataError(
            f"{where}: column '{column}' holds {len(distinct):,} different numbers ({example}, ...): this "
            "looks like a quantity (regression), which headstart does not learn yet. Bin it into classes, "
            "or pass another --target."
        )


def _measured(labels: np.ndarray, distinct: set[str]) -> bool:
    """Whether labels are numbers of a quantity: many different ones, with fractions or nearly one an item."""
    if len(distinct) <= 20:
        return False
    try:
        numbers = [float(label) for label in distinct]
    except ValueError:
        return False
    fractions = any(number != int(number) for number in numbers if np.isfinite(number))
    return fractions or len(distinct) > 0.5 * len(labels)
