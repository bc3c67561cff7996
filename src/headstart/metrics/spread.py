"""How much a mean over items would differ on other items: standard errors, with items of one unit counted together.

A unit is what belongs together: the items of one group (patient, speaker), copies of one item. Items of a unit are
not independent, so what varies is the sum over a unit. With G units

    se^2 = G / (G - 1) sum_g (sum_{i in g} (x_i - mean))^2 / N^2

(the sandwich form of Liang and Zeger 1986 for a ratio of sums), compared with a t distribution. Its degrees of freedom
are G' - 1, where G' = (sum n_g)^2 / sum n_g^2 is the number of equal units that would say as much as these (Kish 1965;
of equal sizes G' = G): one large unit among small ones decides the mean, and says little about its own spread.

Legend: N items, G units, K columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def unit_numbers(units: NDArray[Any] | None, n_items: int) -> tuple[NDArray[np.intp], int]:
    """Return the number of the unit of each item, and how many units there are.

    Args:
        units: any values of shape (N,); None: every item is a unit of its own.
        n_items: N.
    """
    if units is None:
        return np.arange(n_items), n_items
    names, numbers = np.unique(np.asarray(units).astype(str), return_inverse=True)
    return numbers, len(names)


def unit_sums(numbers: NDArray[np.intp], n_units: int, values_NK: NDArray[np.floating]) -> Float:
    """Return the sums of the items' values over each unit, of shape (G, K)."""
    if len(numbers) == n_units and np.array_equal(numbers, np.arange(n_units)):
        return np.asarray(values_NK, dtype=np.float64)
    return np.stack(
        [np.bincount(numbers, weights=column, minlength=n_units) for column in values_NK.T], axis=1
    )


def standard_error(values: NDArray[np.floating], units: NDArray[Any] | None = None) -> float:
    """Return the standard error of the mean of the items' values; nan for fewer than two units.

    Args:
        values: of shape (N,).
        units: of shape (N,); None: every item is a unit of its own.
    """
    numbers, n_units = unit_numbers(units, len(values))
    if n_units < 2:
        return float("nan")
    residual = np.asarray(values, dtype=np.float64) - np.mean(values)
    sums = np.bincount(numbers, weights=residual, minlength=n_units)
    return float(np.sqrt((sums**2).sum() * n_units / (n_units - 1)) / len(residual))


def freedom(units: NDArray[Any] | None, n_items: int) -> float:
    """Return the degrees of freedom of `standard_error`: G' - 1, 0 for a single unit.

    Args:
        units: of shape (N,); None: every item is a unit of its own.
        n_items: N.
    """
    numbers, n_units = unit_numbers(units, n_items)
    sizes = np.bincount(numbers, minlength=n_units).astype(np.float64)
    return float(sizes.sum() ** 2 / np.square(sizes).sum() - 1)
