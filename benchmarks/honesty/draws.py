"""Items with a known truth, for several parts.

`World`: two classifiers with correlated scores, classes of any share, units that differ.

    score = (d / 2 + tau v_g) (+1 or -1 for the class) + tau u_g + noise

with independent standard normal u_g, v_g of each unit and d from the AUROC of items of one unit. The probability of
the second class is the logistic function of d times the score, which is calibrated where tau is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from scipy.stats import norm

from headstart.metrics import calibration_bins


@dataclass(frozen=True)
class World:
    """What is simulated.

    Attributes:
        n_items: of a data set.
        n_units: that they come from, of equal size; 0: every item is its own.
        positives: share of the second class in the world.
        separation: AUROC of items of one unit.
        tau: how much units differ.
        alike: correlation of the noise of the two classifiers.
    """

    n_items: int
    n_units: int = 0
    positives: float = 0.5
    separation: float = 0.9
    tau: float = 0.5
    alike: float = 0.5

    @classmethod
    def of(cls, cell: dict[str, Any]) -> World:
        """Return the world of a cell of a table."""
        return cls(**{name: cell[name] for name in cls.__dataclass_fields__ if name in cell})

    def draw(self, rng: np.random.Generator, n_items: int = 0, n_units: int = 0) -> Draw:
        """Return a data set, by default of the world's own size."""
        n_items, n_units = n_items or self.n_items, n_units or self.n_units
        units = np.arange(n_items) % n_units if n_units else None
        y = rng.random(n_items) < self.positives
        sign, d = np.where(y, 1.0, -1.0), 2**0.5 * norm.ppf(self.separation)
        shared = rng.normal(size=n_items)
        sides = []
        for _ in range(2):
            own = self.alike**0.5 * shared + (1 - self.alike) ** 0.5 * rng.normal(size=n_items)
            shift = spread = np.zeros(n_items)
            if units is not None:
                shift, spread = self.tau * rng.normal(size=(2, n_units))[:, units]
            p = expit(d * (sign * (d / 2 + spread) + shift + own))
            sides.append(np.stack([1 - p, p], axis=1))
        return Draw(y.astype(np.int64), sides[0], sides[1], units)


@dataclass(frozen=True, eq=False)
class Draw:
    """Labels of shape (N,), the probabilities of two classifiers of shape (N, 2), and units of shape (N,) or None."""

    y: np.ndarray
    first: np.ndarray
    second: np.ndarray
    units: np.ndarray | None


def scored_items(
    rng: np.random.Generator, n_items: int, n_units: int, n_classes: int, spread: float = 1.5
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return true scores of a standard deviation, classes drawn from them, and units or None.

    Three tenths of the items of a unit draw their class with one random number, so that they are right and wrong
    together.
    """
    units = np.arange(n_items) % n_units if n_units else None
    scores = spread * rng.normal(size=(n_items, n_classes))
    point = rng.random(n_items)
    if units is not None:
        point = np.where(rng.random(n_items) < 0.3, rng.random(n_units)[units], point)
    return scores, drawn_class(softmax(scores, axis=1), point), units


def drawn_class(p: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return the class of each item; the smaller its number in [0, 1], the likelier the class."""
    order = np.argsort(-p, axis=1)
    rank = (np.take_along_axis(p, order, axis=1).cumsum(axis=1) < point[:, None]).sum(axis=1)
    return np.take_along_axis(order, np.minimum(rank, p.shape[1] - 1)[:, None], axis=1)[:, 0]


def plain_error(y: np.ndarray, p: np.ndarray) -> float:
    """Return the plain expected calibration error of 15 bins (Guo et al. 2017)."""
    bins = calibration_bins(y, p)
    return sum(b.n_items * abs(b.confidence - b.accuracy) for b in bins) / len(y)
