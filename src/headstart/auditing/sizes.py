"""Which training items are learned from: numbers of labels, and nested draws of so many items for each seed.

A draw is stratified by class and takes whole units (groups, or copies of one item). The draws of one seed are nested:
all are beginnings of one order of the units. Each class is among the first units of the order, so that the smallest
draw has them all.

Legend: P training items, U units, S numbers of labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.errors import OptionError
from headstart.metrics.spread import unit_numbers
from headstart.units import counted

N_SIZES = 5
SMALLEST = 20  # labels of the smallest size by default, if the classes are few
LEAST_RATIO = 1.5  # between two sizes by default: closer ones say the same twice
_FAR = 0.3  # a draw of whole groups may miss the number that was asked for by this share of it


def sizes_of(asked: Sequence[int | None] | None, n_items: int, n_classes: int) -> tuple[int, ...]:
    """Numbers of labels, rising.

    Args:
        asked: of --labels, None standing for all; None: five numbers in equal ratios, up to all.
        n_items: P.
        n_classes: number of classes among the training items; 1 for other tasks.

    Raises:
        OptionError: a number is larger than the data, or below one per class.
    """
    if asked is None:
        least = min(max(SMALLEST, 2 * n_classes), n_items)
        n_sizes = min(N_SIZES, 1 + int(np.log(n_items / least) / np.log(LEAST_RATIO)))
        found = {_rounded(value) for value in np.geomspace(least, n_items, max(2, n_sizes))[:-1]}
        return (*sorted(size for size in found if n_classes <= size < 0.9 * n_items), n_items)
    sizes = tuple(n_items if size is None else size for size in asked)
    if sizes[-1] > n_items or sizes != tuple(sorted(set(sizes))):
        raise OptionError(
            f"--labels {_listed(asked)}: there are {counted(n_items, 'training items')}; name smaller numbers, or 'all'"
        )
    if sizes[0] < n_classes:
        raise OptionError(
            f"--labels {_listed(asked)}: {sizes[0]} is below one item per class ({counted(n_classes, 'classes')}); "
            f"begin with {n_classes} or more"
        )
    return sizes


def nested_order(
    strata_P: np.ndarray, units_P: np.ndarray | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """An order of the items of which every beginning is stratified, units kept together.

    Args:
        strata_P: class of each item, of shape (P,).
        units_P: what belongs together, of shape (P,); None: every item is a unit of its own.
        seed: of the order.

    Returns:
        The order, of shape (P,), and where its units end, of shape (U,), rising.
    """
    rng = np.random.default_rng(seed)
    numbers, n_units = unit_numbers(units_P, len(strata_P))
    codes = np.unique(strata_P, return_inverse=True)[1]
    shuffled = rng.permutation(n_units)
    counts_UC = np.zeros((n_units, int(codes.max()) + 1), dtype=np.int64)
    np.add.at(counts_UC, (numbers, codes), 1)
    order = _in_proportion(counts_UC, shuffled)
    by_unit = np.argsort(numbers, kind="stable")
    starts = np.searchsorted(numbers[by_unit], np.arange(n_units + 1))
    positions = np.concatenate([by_unit[starts[unit] : starts[unit + 1]] for unit in order])
    return positions, np.cumsum(np.diff(starts)[order])


def _in_proportion(counts_UC: np.ndarray, shuffled: np.ndarray) -> np.ndarray:
    """Units in an order in which every class comes up in proportion, after one unit for each class.

    A unit's place is the mean place of its items in an even spread of their classes.
    """
    shares = np.cumsum(counts_UC[shuffled], axis=0) - counts_UC[shuffled] / 2
    places = shares / np.maximum(1, counts_UC.sum(axis=0))
    sizes = counts_UC[shuffled].sum(axis=1)
    place = (places * counts_UC[shuffled]).sum(axis=1) / np.maximum(1, sizes)
    order = shuffled[np.argsort(place, kind="stable")]
    first: list[int] = []
    covered = np.zeros(counts_UC.shape[1], dtype=bool)
    for rare in np.argsort(counts_UC.sum(axis=0), kind="stable"):
        if not covered[rare] and counts_UC[:, rare].any():
            unit = int(order[np.flatnonzero(counts_UC[order, rare])[0]])
            first.append(unit)
            covered |= counts_UC[unit] > 0
    return np.concatenate([np.array(first, dtype=np.int64), order[~np.isin(order, first)]])


def drawn(order_P: np.ndarray, ends_U: np.ndarray, size: int) -> np.ndarray | None:
    """The beginning of an order that has about so many items, in rising order; None if whole units miss it by far.

    Args:
        order_P, ends_U: of `nested_order`.
        size: number of items.
    """
    nearest = int(ends_U[np.abs(ends_U - size).argmin()])
    if abs(nearest - size) > max(1.0, _FAR * size):
        return None
    return np.sort(order_P[:nearest])


def _rounded(value: float) -> int:
    """A number of two digits, so that tables read well."""
    step = 10 ** max(0, int(np.log10(value)) - 1)
    return int(round(value / step) * step)


def _listed(asked: Sequence[int | None]) -> str:
    return ",".join("all" if size is None else str(size) for size in asked)
