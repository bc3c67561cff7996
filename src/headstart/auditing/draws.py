"""Which training items every draw of an audit takes.

Legend: N items of the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.auditing.sizes import drawn, nested_order, sizes_of
from headstart.data import DataSet
from headstart.errors import DataError


@dataclass(frozen=True, eq=False)
class Draws:
    """The draws.

    Attributes:
        sizes: numbers of labels, rising.
        n_seeds: draws per number of labels.
        seed: random seed of the first draw.
        positions: of the items of each draw, by size and seed.
        left_out: why a number of labels was left out, by number.
    """

    sizes: tuple[int, ...]
    n_seeds: int
    seed: int
    positions: dict[tuple[int, int], np.ndarray]
    left_out: dict[int, str]

    @classmethod
    def of(cls, data: DataSet, asked: tuple[int | None, ...] | None, n_seeds: int, seed: int) -> Draws:
        """Draw from all items that are not held out.

        Args:
            data: the data set.
            asked: of --labels.
            n_seeds: draws per number of labels.
            seed: random seed of the first draw.

        Raises:
            OptionError: the numbers do not fit the data.
            DataError: groups are so large that nothing can be drawn.
        """
        pool = data.learnable
        strata = np.asarray(data.strata)[pool]
        units = None if data.units is None else data.units[pool]
        task = data.examples.task
        n_classes = len(np.unique(strata)) if task.one_per_item else 1
        sizes = sizes_of(asked, len(pool), n_classes)
        positions: dict[tuple[int, int], np.ndarray] = {}
        left_out: dict[int, str] = {}
        orders = [nested_order(strata, units, seed + number) for number in range(n_seeds)]
        for size in sizes:
            found = [drawn(*order, size) for order in orders]
            if any(each is None for each in found):
                left_out[size] = "the groups are too large for a draw of so many items"
                continue
            if any(len(np.unique(strata[each])) < n_classes for each in found):
                left_out[size] = "so few whole groups do not hold every class"
                continue
            for number, each in enumerate(found):
                assert each is not None
                positions[size, number] = pool[each]
        kept = tuple(size for size in sizes if size not in left_out)
        if not kept:
            raise DataError(
                f"no number of --labels can be drawn in whole groups: {len(orders[0][1])} groups hold {len(pool)} "
                "training items; name larger numbers, or 'all'"
            )
        return cls(kept, n_seeds, seed, positions, left_out)
