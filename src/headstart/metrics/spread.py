"""How much a number would differ on other items: variances in which the items of one unit are counted together.

A unit is what belongs together: the items of one group (patient, speaker), copies of one item. Items of a unit are
not independent, so what varies is the sum over a unit. A metric is represented by its influences: psi_i is what
item i adds to the metric to first order, sum_i psi_i = 0; for a mean, psi_i = (x_i - mean) / N. With G units of
n_g items and sums s_g of their influences,

    variance = (G - 1) / G sum_g (s_g / (1 - n_g / N))^2

which leaves out one unit after the other (the jackknife of a ratio of sums; Bell and McCaffrey 2002, "CR3"). It is
compared with a t distribution of G' - 1 degrees of freedom, where G' = (sum n_g)^2 / sum n_g^2 is the number of equal
units that would say as much as these (Kish 1965): one large unit among small ones decides the result, and says little
about its own spread.

Legend: N items, G units, K columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.units import counted

Float = NDArray[np.float64]
LEAST_UNITS = 3  # with two units the variance has one degree of freedom, and an interval says nothing


@dataclass(frozen=True, eq=False)
class Units:
    """Which items belong together.

    Attributes:
        numbers: unit of each item, of shape (N,), from 0.
        n_units: G.
        sizes: items of each unit, of shape (G,).
        widen: factor of every standard error, for spread that the items do not show; 1 for none.
    """

    numbers: NDArray[np.intp]
    n_units: int
    sizes: Float
    widen: float = 1.0

    @classmethod
    def of(cls, units: Units | NDArray[Any] | None, n_items: int, *, widen: float = 1.0) -> Units:
        """Return the units of some items.

        Args:
            units: any values of shape (N,), equal for items that belong together; None: every item is a unit of
                its own; `Units` are returned as they are, widened.
            n_items: N.
            widen: factor of every standard error.
        """
        if isinstance(units, Units):
            return replace(units, widen=units.widen * widen)
        numbers, n_units = unit_numbers(units, n_items)
        return cls(numbers, n_units, np.bincount(numbers, minlength=n_units).astype(np.float64), widen)

    @property
    def n_items(self) -> int:
        """N."""
        return len(self.numbers)

    @property
    def are_items(self) -> bool:
        """Whether every item is a unit of its own."""
        return self.n_units == self.n_items

    def as_items(self) -> Units:
        """Return the same items, every one a unit of its own."""
        return replace(
            self, numbers=np.arange(self.n_items), n_units=self.n_items, sizes=np.ones(self.n_items)
        )

    @property
    def too_few(self) -> str:
        """Why no interval can be had from so few units, for a reader; "" if it can."""
        if self.n_units >= LEAST_UNITS and self.freedom >= 1:
            return ""
        what = "items" if self.are_items else "independent units"
        if self.n_units >= LEAST_UNITS:
            return f"one of {self.n_units} {what} holds most of the items, too many for an interval"
        return f"{counted(self.n_units, what)}, {LEAST_UNITS} are needed for an interval"

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the variance: G' - 1."""
        return float(self.sizes.sum() ** 2 / np.square(self.sizes).sum() - 1)

    def of_some(self, positions: NDArray[np.intp]) -> Units:
        """Return the units of some of the items."""
        return Units.of(self.numbers[positions], len(positions), widen=self.widen)

    def count(self, positions: NDArray[np.intp]) -> int:
        """Return how many units some items come from."""
        return len(positions) if self.are_items else len(np.unique(self.numbers[positions]))

    def covariance(self, influences_NK: NDArray[np.floating]) -> Float:
        """Return the covariance of K sums of influences, of shape (K, K); nan for fewer than two units."""
        if self.n_units < 2:
            return np.full((influences_NK.shape[1],) * 2, np.nan)
        left = 1 - self.sizes / self.sizes.sum()
        sums_GK = unit_sums(self.numbers, self.n_units, influences_NK) / left[:, None]
        return np.asarray(self.widen**2 * (self.n_units - 1) / self.n_units * (sums_GK.T @ sums_GK))

    def without(self, values_NK: NDArray[np.floating]) -> Float:
        """Return the sums of the items' values without each unit, of shape (G, K)."""
        sums_GK = unit_sums(self.numbers, self.n_units, values_NK)
        return np.asarray(sums_GK.sum(axis=0) - sums_GK)

    def jackknife(self, without_G: Float) -> float:
        """Return the variance of a number, from what it is without each unit, of shape (G,)."""
        spread = float(np.square(without_G - without_G.mean()).sum())
        return self.widen**2 * spread * (self.n_units - 1) / self.n_units

    def variance(self, influence_N: NDArray[np.floating]) -> float:
        """Return the variance of a sum of influences; nan for fewer than two units."""
        return float(self.covariance(influence_N[:, None])[0, 0])

    def design_effect(self, influence_N: NDArray[np.floating]) -> float:
        """Return how much larger the variance is than that of as many independent items (Kish 1965).

        If all influences are 0 (every item is right), nothing shows how alike the items of a unit are: they count
        as one.

        Args:
            influence_N: of shape (N,).
        """
        if self.are_items:
            return self.widen**2
        n_items = self.n_items
        alone = float(np.square(influence_N, dtype=np.float64).sum()) * n_items / (n_items - 1)
        if alone <= 1e-30:
            return self.widen**2 * n_items / (self.freedom + 1)
        return max(self.variance(influence_N) / alone, 1e-9)


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


def standard_error(values: NDArray[np.floating], units: Units | NDArray[Any] | None = None) -> float:
    """Return the standard error of the mean of the items' values; nan for fewer than two units.

    Args:
        values: of shape (N,).
        units: of shape (N,); None: every item is a unit of its own.
    """
    values = np.asarray(values, dtype=np.float64)
    variance = Units.of(units, len(values)).variance((values - values.mean()) / len(values))
    return float(np.sqrt(variance))


def standard_errors(values_NK: NDArray[np.floating], units: Units | NDArray[Any] | None = None) -> Float:
    """Return the standard error of the mean of each column, of shape (K,); nan for fewer than two units.

    Args:
        values_NK: of shape (N, K).
        units: of shape (N,); None: every item is a unit of its own.
    """
    found = Units.of(units, len(values_NK))
    return np.array([standard_error(column, found) for column in values_NK.T])


def share_error(right: NDArray[np.floating], units: Units | NDArray[Any] | None = None) -> float:
    """Return the standard error of a share; nan for fewer than two units.

    It is at least that of independent items with one right and one wrong item added (Agresti and Coull 1998), so that
    it is not 0 if every item is right.

    Args:
        right: 1 or 0, of shape (N,).
        units: of shape (N,); None: every item is a unit of its own.
    """
    n_items = len(right)
    smooth = (float(np.sum(right)) + 1) / (n_items + 2)
    return float(np.maximum(standard_error(right, units), np.sqrt(smooth * (1 - smooth) / n_items)))


def weighted_share_error(
    right: NDArray[np.floating],
    weights: NDArray[np.floating],
    units: Units | NDArray[Any] | None = None,
) -> float:
    """Return the standard error of a weighted share, as `share_error`; nan for fewer than two units.

    The share is a ratio of two sums. Its smallest value is that of (sum w)^2 / sum w^2 equal items (Kish 1965).

    Args:
        right: 1 or 0, of shape (N,).
        weights: of the items, of shape (N,), not all 0.
        units: of shape (N,); None: every item is a unit of its own.
    """
    share = float(np.average(right, weights=weights))
    n_equal = float(np.sum(weights) ** 2 / np.square(weights).sum())
    smooth = (share * n_equal + 1) / (n_equal + 2)
    found = Units.of(units, len(right))
    if found.n_units < 2:
        return float("nan")
    both_N2 = np.stack([weights * (right - share), weights], axis=1) / np.sum(weights)
    sums_G, weight_G = unit_sums(found.numbers, found.n_units, both_N2).T
    left_G = np.maximum(1 - weight_G, 1e-9)  # what a unit weighs is what is left out with it
    factor = found.widen**2 * (found.n_units - 1) / found.n_units
    error = np.sqrt(factor * np.square(sums_G / left_G).sum())
    return float(np.maximum(error, np.sqrt(smooth * (1 - smooth) / n_equal)))


def freedom(
    units: Units | NDArray[Any] | None, n_items: int, weights: NDArray[np.floating] | None = None
) -> float:
    """Return the degrees of freedom of `standard_error`: G' - 1, 0 for a single unit.

    Args:
        units: of shape (N,); None: every item is a unit of its own.
        n_items: N.
        weights: of the items, of shape (N,): units count by what they weigh (Kish 1965); None: by their items.
    """
    found = Units.of(units, n_items)
    if weights is None:
        return found.freedom
    weight_G = unit_sums(found.numbers, found.n_units, np.asarray(weights, dtype=np.float64)[:, None])[:, 0]
    return float(weight_G.sum() ** 2 / np.square(weight_G).sum() - 1)


def is_known(freedom: float) -> bool:
    """Whether enough equal units are behind a standard error for an interval: `LEAST_UNITS`, up to rounding.

    Args:
        freedom: degrees of freedom of the standard error.
    """
    return freedom >= LEAST_UNITS - 1 - 1e-9
