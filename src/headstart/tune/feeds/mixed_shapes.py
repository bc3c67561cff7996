"""Batches of items of any shape, which run in parts of one shape: for losses that need all items of a batch at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.tune.feeds.feed import Feed, rows_of
from headstart.tune.feeds.plan import Positions


@dataclass(frozen=True, eq=False)
class Parts:
    """The inputs of a batch in parts of one shape, with the number of items of each; takes slices of items."""

    inputs: tuple[Any, ...]
    sizes: tuple[int, ...]

    def __getitem__(self, rows: slice) -> Parts:
        begin, end, _ = rows.indices(sum(self.sizes))
        inputs, sizes, first = [], [], 0
        for part, size in zip(self.inputs, self.sizes, strict=True):
            own = slice(max(begin - first, 0), min(end - first, size))
            if own.start < own.stop:
                inputs.append(rows_of(part, own))
                sizes.append(own.stop - own.start)
            first += size
        return Parts(tuple(inputs), tuple(sizes))


class MixedFeed:
    """A feed whose batches hold items of any shape: they run in parts of one shape, and share one loss.

    The loss is over pairs of all items of a batch, but a feed's batches hold items of one padded length or
    stored shape. Each batch is split by the feed's own buckets; the embeddings of its parts are joined, with
    their gradients.

    Args:
        feed: what the items come from.
        least: a part of fewer items is joined with the next bucket's, if the feed can pad them to one shape
            (`pads`): each part writes the gradients of all weights once more, and a large part is padded more.
        pads: whether items of different buckets may share a part.
    """

    def __init__(self, feed: Feed, *, least: int = 8, pads: bool = False) -> None:
        self.feed, self.least, self.pads = feed, least, pads
        self.n_items = feed.n_items
        self.buckets: Sequence[Positions] = [np.arange(self.n_items)]
        self._bucket_of = np.empty(self.n_items, dtype=np.intp)
        for number, bucket in enumerate(feed.buckets):
            self._bucket_of[bucket] = number

    def batches(
        self, plan: Sequence[Positions], *, seed: int, epoch: int, start: int = 0
    ) -> Iterator[tuple[Positions, Any]]:
        """Yield positions, in the order of the parts, and the inputs of each part."""
        parts = [self.parts(positions) for positions in plan]
        flat = [part for own in parts for part in own]
        n_skipped = sum(map(len, parts[:start]))  # a part's view is drawn by its position in the epoch
        inner = self.feed.batches(flat, seed=seed, epoch=epoch, start=n_skipped)
        for own in parts[start:]:
            taken = [next(inner) for _ in own]
            inputs = Parts(
                tuple(inputs for _, inputs in taken), tuple(len(positions) for positions, _ in taken)
            )
            yield np.concatenate([positions for positions, _ in taken]), inputs

    def parts(self, positions: Positions) -> list[Positions]:
        """The positions of a batch in parts of one shape."""
        ordered = positions[np.argsort(self._bucket_of[positions], kind="stable")]
        ends = np.flatnonzero(np.diff(self._bucket_of[ordered])) + 1
        found = np.split(ordered, ends)
        if not self.pads:
            return found
        joined = [found[0]]
        for part in found[1:]:
            if len(joined[-1]) < self.least:
                joined[-1] = np.concatenate([joined[-1], part])
            else:
                joined.append(part)
        if len(joined) > 1 and len(joined[-1]) < self.least:
            joined[-2:] = [np.concatenate(joined[-2:])]
        return joined

    def run(self, backbone: Any, inputs: Parts, device: torch.device) -> Tensor:
        """Run the trained part of the backbone on every part and join the embeddings."""
        return torch.cat([self.feed.run(backbone, part, device) for part in inputs.inputs])
