"""What states are computed from: the items of a data set in one view, and the cut of a source."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch.nn import functional

from headstart.data.augment import Augment
from headstart.data.items import take_items
from headstart.data.loading import load_batches, plan_batches
from headstart.data.preprocessing import TextPreprocessing
from headstart.data.texts import encode_all, padded_length
from headstart.features.device import Setting
from headstart.features.extraction import Inputs
from headstart.features.store import Key
from headstart.sources.source import Source


@dataclass(frozen=True)
class Cut:
    """What is computed: the stages before a cut, for one view of items.

    Attributes:
        source: the network, its stages and its preprocessing.
        items: n_items files, texts or arrays.
        digests: of shape (n_items,), text: the digest of each item's content.
        cut: the number of stages before it, `0 <= cut <= n_stages`.
        view: which augmented view; 0 is the plain one.
        seed: of the augmentation.
        setting: device, precision and threads.
        augment: how augmented views are made (its own seed, view and digests are ignored); None: the default.
    """

    source: Source
    items: Sequence[Any]
    digests: np.ndarray
    cut: int
    view: int
    seed: int
    setting: Setting
    augment: Augment | None = None

    def load(
        self, positions: np.ndarray, batches: Sequence[np.ndarray] | None = None
    ) -> Iterator[tuple[np.ndarray, Inputs]]:
        """Decode items in batches of one padded length.

        Args:
            positions: of shape (n_chosen,), into the items.
            batches: positions among those; None: all in one batch.
        """
        if batches is None:
            batches = [np.arange(len(positions))]
        items = take_items(self.items, positions)
        preprocessing = self.source.preprocessing
        digests = self.digests[positions]
        augment = self._augment(digests) if self.view else None
        loaded = load_batches(
            items, preprocessing, batches, threads=self.setting.n_threads, digests=digests, augment=augment
        )
        if augment is None or not isinstance(preprocessing, TextPreprocessing):
            return loaded
        return ((chosen, _padded_as_plain(inputs, items, chosen, preprocessing)) for chosen, inputs in loaded)

    def inputs(self, positions: np.ndarray) -> Inputs:
        """The decoded inputs of items of one padded length, as one batch."""
        ((_, inputs),) = self.load(positions)
        return inputs

    @property
    def key(self) -> Key:
        """The key under which these states are stored."""
        return Key(
            source=self.source.digest,
            preprocessing=self.source.preprocessing.digest(),
            what="state",
            stages=tuple(self.source.stages.items()),
            precision=self.setting.precision,
            cut=self.cut,
            view=self.view,
            seed=self.seed if self.view else 0,
            augment=self._augment(None).settings if self.view else "",
            label=self.source.uri,
        )

    def _augment(self, digests: np.ndarray | None) -> Augment:
        return replace(self.augment or Augment(0), seed=self.seed, view=self.view, digests=digests)


def by_length(items: Sequence[Any], source: Source) -> list[np.ndarray]:
    """Positions of the items of each padded length."""
    return plan_batches(
        items, source.preprocessing, batch_size=max(1, len(items)), tokens_per_batch=sys.maxsize
    )


def _padded_as_plain(
    inputs: Inputs, items: Sequence[Any], positions: np.ndarray, preprocessing: TextPreprocessing
) -> Inputs:
    """Pad views of texts to the length of the plain texts, so that every view of an item has the same shape."""
    encoded = encode_all([str(item) for item in items], preprocessing)
    longest = max(len(encoded[position]) for position in positions.tolist())
    missing = padded_length(longest, preprocessing.max_length) - inputs["input_ids"].shape[1]
    ids = functional.pad(inputs["input_ids"], (0, missing), value=preprocessing.pad_id)
    return {"input_ids": ids, "attention_mask": functional.pad(inputs["attention_mask"], (0, missing))}
