"""`Items`: the training items on which all sources of a ranking are compared.

Legend: N items, S sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.choose.places import Places, place
from headstart.errors import DataError
from headstart.evidence import cross_validation_factor
from headstart.metrics.spread import unit_numbers
from headstart.ranking.predicted import influences

if TYPE_CHECKING:
    from headstart.choose import Choice, StageFeatures
    from headstart.data import DataSet
    from headstart.features import Extracted, Setting, Store
    from headstart.sources import Source

SMALL = 1_000  # up to this number of items, sources are worked on at once, one thread each


@dataclass(frozen=True, eq=False)
class Items:
    """The items that sources are compared on.

    Attributes:
        data: the data set.
        positions: of the N items in it: its training part.
        seed: random seed of the folds.
        setting: device, precision and threads.
        store: of the features.
        only_these: whether nothing else is extracted; else all items of the data are, so that a later fit finds the
            features of its held-out part too.
    """

    data: DataSet
    positions: np.ndarray
    seed: int
    setting: Setting
    store: Store
    only_these: bool = False

    @property
    def labels(self) -> np.ndarray:
        """Labels as text, of shape (N,)."""
        return np.asarray(np.asarray(self.data.labels)[self.positions])

    @property
    def codes(self) -> np.ndarray:
        """Labels as numbers."""
        return np.asarray(np.asarray(self.data.codes)[self.positions])

    @property
    def units(self) -> np.ndarray | None:
        """What belongs together, of shape (N,)."""
        return None if self.data.units is None else self.data.units[self.positions]

    @property
    def inputs(self) -> Sequence[Any]:
        """The N files, texts or arrays."""
        from headstart.data.items import take_items

        return take_items(self.data.examples.items, self.positions)

    @property
    def n_units(self) -> int:
        """How many independent units the N items are: groups, or items without their copies."""
        return unit_numbers(self.units, len(self.positions))[1]

    def extract(self, sources: Sequence[Source]) -> Iterator[Extracted]:
        """Pooled features of the N items by each source, as soon as they are there."""
        from headstart.data.items import take_items
        from headstart.features import extract_pooled_of_many

        stored = self.positions if self.only_these else np.arange(len(self.data))
        found = extract_pooled_of_many(
            sources,
            take_items(self.data.examples.items, stored),
            self.data.scan.digests[stored],
            self.store,
            **self.setting.options,
        )
        for each in found:
            features = each.features
            yield (
                each
                if self.only_these or features is None
                else replace(each, features=features.take(self.positions))
            )

    def choose(self, features: StageFeatures, n_threads: int | None = None) -> tuple[Choice, np.ndarray]:
        """The head alone, chosen as `fit --freeze all` chooses it, and its cross-validated quality of each item.

        Args:
            features: of the N items.
            n_threads: stages worked on at once; None: one if the items are so few that several sources are.

        Raises:
            DataError: nothing is left to compare on.
        """
        from headstart.choose import choose_head

        targets = self.data.examples.targets
        choice = choose_head(
            features,
            self.labels,
            self.units,
            seed=self.seed,
            classes=targets.classes,
            task=targets.task,
            n_threads=n_threads or (1 if len(self.positions) <= SMALL else self.setting.n_threads),
        )
        if not len(choice.positions):
            raise DataError(
                f"{choice.reason.split(' leaves')[0]} leaves nothing to compare sources by: label more items"
            )
        return choice, targets.task.item_quality(choice.out_of_fold, self.codes[choice.positions])

    def units_of(self, choice: Choice) -> np.ndarray | None:
        """What belongs together among the items that a choice was made on."""
        return None if self.units is None else self.units[choice.positions]

    def spread(self, quality_N: np.ndarray, choice: Choice) -> np.ndarray:
        """Return what each item adds to the mean quality, of shape (N,): the quality, or influences of a ratio."""
        targets = self.data.examples.targets
        if targets.task.one_per_item:
            return quality_N
        codes = self.codes[choice.positions]
        constant = np.tile(targets.task.constant(codes, targets.n_outputs), (len(codes), 1))
        return influences(quality_N, targets.task.item_losses(constant, codes))

    def place(self, quality_NS: np.ndarray, choice: Choice) -> Places:
        """Compare sources that were cross-validated on the same items and folds.

        Args:
            quality_NS: of each item under each source, of shape (N, S).
            choice: of one of the sources, for the items and the folds.
        """
        return place(
            quality_NS,
            self.units_of(choice),
            step=1.0 if self.data.examples.task.one_per_item else 0.0,
            widen=cross_validation_factor(choice.n_folds),
            seed=self.seed,
        )
