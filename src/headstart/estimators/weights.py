"""Weights as scikit-learn passes them: of items to `fit`, of classes to the constructor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headstart.data.weights import checked_weights
from headstart.errors import DataError, OptionError, shortened


def sample_weights(given: Any, n_items: int) -> np.ndarray | None:
    """Weights of items, of shape (n_items,), float64; None if none were given.

    Args:
        given: a list, an array or a column of a table, or None.
        n_items: how many items there are.

    Raises:
        DataError: they are not one per item, one is no weight, or all are 0.
    """
    if given is None:
        return None
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"sample_weight must hold one number per item, got {shortened(repr(given))}."
        ) from None
    if values.shape != (n_items,):
        raise DataError(
            f"sample_weight must have shape ({n_items},), one number per item, got {values.shape}."
        )
    return checked_weights(values, [f"item {place}" for place in range(n_items)], "sample_weight")


def by_code(class_weight: Any, classes: np.ndarray) -> Any:
    """Weights of classes by the number of the class, as labels are learned; anything but a mapping as it is.

    Args:
        class_weight: as the constructor took it.
        classes: the labels of y, sorted, in their own type.

    Raises:
        OptionError: a label is not among them.
    """
    if not isinstance(class_weight, Mapping):
        return class_weight
    number = {label: str(code) for code, label in enumerate(classes.tolist())}
    for label in class_weight:
        if label not in number:
            known = shortened(", ".join(map(repr, number)), 120)
            raise OptionError(f"class_weight names {label!r}, which is no class of y. Classes: {known}")
    return {number[label]: weight for label, weight in class_weight.items()}
