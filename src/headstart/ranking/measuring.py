"""What each source gives for the training items: its head alone, chosen and cross-validated as a fit does it.

Legend: N items, S sources.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.errors import DataError
from headstart.ranking.opening import Candidate

if TYPE_CHECKING:
    from headstart.choose import Choice, StageFeatures
    from headstart.data import DataSet
    from headstart.features import Extracted, Features, Setting, Store
    from headstart.sources import Source

SMALL = 1_000  # up to this number of items, sources are worked on at once, one thread each
_TIMED_ITEMS = 8
_SAME = 0.05  # largest relative difference of features that are the same but for rounding


@dataclass(frozen=True, eq=False)
class Measured:
    """A source with what it gives.

    Attributes:
        candidate: the source.
        features: of the N training items.
        choice: the head alone.
        quality: cross-validated, of each item that the choice was made on, of shape (N,).
        milliseconds: per item, all threads together.
        scores: transferability scores by name; larger is better.
    """

    candidate: Candidate
    features: Features
    choice: Choice
    quality: np.ndarray
    milliseconds: float = 0.0
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Items:
    """The items that sources are compared on.

    Attributes:
        data: the data set.
        positions: of the N items in it: its training part.
        seed: random seed of the folds.
        setting: device, precision and threads.
        store: of the features.
        alone: whether nothing else is extracted; else all items of the data are, so that a later fit finds the features
            of its held-out part too.
    """

    data: DataSet
    positions: np.ndarray
    seed: int
    setting: Setting
    store: Store
    alone: bool = False

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
    def files(self) -> Sequence[Any]:
        """The N files, texts or arrays."""
        from headstart.data.items import take_items

        return take_items(self.data.examples.items, self.positions)

    def extract(self, sources: Sequence[Source]) -> Iterator[Extracted]:
        """Pooled features of the N items by each source, as soon as they are there."""
        from headstart.data.items import take_items
        from headstart.features import extract_pooled_of_many

        stored = self.positions if self.alone else np.arange(len(self.data))
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
                if self.alone or features is None
                else replace(each, features=features.take(self.positions))
            )

    def choose(self, features: StageFeatures) -> tuple[Choice, np.ndarray]:
        """The head alone, chosen as `fit --freeze all` chooses it, and its cross-validated quality of each item.

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
            n_threads=1 if len(self.positions) <= SMALL else self.setting.n_threads,
        )
        if not len(choice.positions):
            raise DataError(
                f"{choice.reason.split(' leaves')[0]} leaves nothing to compare sources by: label more items"
            )
        return choice, targets.task.item_quality(choice.out_of_fold, self.codes[choice.positions])


def measure(candidate: Candidate, features: Features, items: Items) -> Measured:
    """Choose and cross-validate the head alone of one source.

    Args:
        candidate: the source.
        features: of the items.
        items: that sources are compared on.
    """
    choice, quality = items.choose(features)
    return Measured(candidate, features, choice, quality)


def timed(measured: Measured, items: Items) -> Measured:
    """With the milliseconds per item that the network takes here, decoding left out.

    Args:
        measured: of one source.
        items: some of which it is timed on.
    """
    from headstart.data.loading import load_batches
    from headstart.features.device import torch_threads
    from headstart.features.inference import inference_network

    source = measured.candidate.source
    chosen = items.files[:_TIMED_ITEMS]
    ((_, inputs),) = load_batches(
        chosen, source.preprocessing, [np.arange(len(chosen))], threads=items.setting.n_threads
    )
    network = inference_network(source, replace(items.setting, n_threads=1))
    seconds = []
    with torch_threads(items.setting.n_threads):
        for _ in range(3):
            started = time.perf_counter()
            network.pooled(inputs)[-1].cpu()
            seconds.append(time.perf_counter() - started)
    return replace(measured, milliseconds=1e3 * min(seconds) / len(chosen))


def merge_equal(measured: Sequence[Measured]) -> list[Measured]:
    """The sources, those of equal features named once: another file format, or weights in half precision.

    Args:
        measured: of every source.
    """
    kept: list[Measured] = []
    for each in measured:
        twin = next((one for one in kept if _same_features(one.features, each.features)), None)
        if twin is None:
            kept.append(each)
        else:
            names = (*twin.candidate.same_as, each.candidate.entry.uri, *each.candidate.same_as)
            kept[kept.index(twin)] = replace(twin, candidate=replace(twin.candidate, same_as=names))
    return kept


def _same_features(one: Features, other: Features) -> bool:
    """Whether the last vectors of two sources are equal but for rounding."""
    rows = np.arange(min(one.n_items, 256))
    first, second = (np.asarray(each.take(rows).stage(-1), dtype=np.float64) for each in (one, other))
    if first.shape != second.shape:
        return False
    spread = float(np.linalg.norm(first - first.mean(axis=0)))
    return float(np.linalg.norm(first - second)) <= _SAME * max(spread, 1e-12)


def store_of(folder: str | Path | None) -> Store:
    """The feature store of an option."""
    from headstart.features import Store

    return Store(None if folder is None else Path(folder))
