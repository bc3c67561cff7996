"""The class-contrastive stage: items of a class drawn together, items of two classes apart, before the head.

With a handful of labels a class a head on frozen embeddings has little to go by, and a network trained through
a head soon fits it by heart. Pairs are many where labels are few: N items give N (N - 1) / 2 of them. The loss
is that of SetFit (Tunstall et al. 2022, "Efficient few-shot learning without prompts"), a regression of the
cosine similarity s_ij of embeddings to 1 within a class and to 0 between classes,

    L = 1/2 mean over pairs of one class of (1 - s_ij)^2  +  1/2 mean over other pairs of s_ij^2

but over all pairs within a batch at once, from one matrix of similarities: no list of pairs is made (SetFit's
grows with the square of the labels), and every item of a batch runs through the network once, not once a pair.
The two means weigh equally, as in SetFit's oversampling of the rarer kind of pair.

Not for many labels: training through a head (`contrastive: 0`) learns more from hundreds a class.

Legend: N items of a batch, D features, C labels.

Example:
    >>> import torch
    >>> embeddings, classes = torch.eye(3)[[0, 0, 1]], torch.tensor([0, 0, 1])
    >>> float(Contrastive().item_losses(embeddings, None, classes).mean())
    0.0
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from headstart.errors import OptionError
from headstart.tune.feeds.feed import Feed, rows_of
from headstart.tune.loop.schedule import Positions

FEW = 64  # labels a class, up to which all are learned from and none is set aside
KNOWN = 0.85  # accuracy of the head alone, cross-validated, from which few labels lose more than they give


class Contrastive:
    """The loss above as an objective of the training loop; it needs no head."""

    def item_losses(self, embedding_ND: Tensor, head: Any, targets: Tensor) -> Tensor:
        """The loss of each item of a batch; their mean is L over all pairs of the batch.

        Args:
            embedding_ND: of shape (N, D), of any length each.
            head: not used.
            targets: classes, int64 of shape (N,), or labels, 0 or 1 of shape (N, C): two items belong together
                where they share a label.

        Returns:
            Of shape (N,); a batch without pairs of one kind is judged by the other kind alone.
        """
        unit_ND = functional.normalize(embedding_ND.float(), dim=1)
        similarity_NN = unit_ND @ unit_ND.T
        alike_NN = _alike(targets)
        others_NN = ~torch.eye(len(alike_NN), dtype=torch.bool, device=alike_NN.device)
        total_N = similarity_NN.new_zeros(len(alike_NN))
        for pairs_NN, goal in ((alike_NN & others_NN, 1.0), (~alike_NN & others_NN, 0.0)):
            squared_NN = (similarity_NN - goal).square() * pairs_NN
            total_N = total_N + 0.5 * squared_NN.sum(dim=1) / pairs_NN.sum().clamp(min=1)
        return len(alike_NN) * total_N


def _alike(targets: Tensor) -> Tensor:
    """Which items belong together, bool of shape (N, N)."""
    if targets.ndim == 1:
        return targets[:, None] == targets[None, :]
    return targets.float() @ targets.float().T > 0


def pair_classes(targets: NDArray[Any]) -> NDArray[np.intp]:
    """A class of each item for planning batches: its class, or its set of labels.

    Args:
        targets: class indices of shape (N,), or 0 and 1 of shape (N, C).

    Raises:
        OptionError: the targets are numbers.
    """
    values = np.asarray(targets)
    if (values.ndim == 2 and not np.isin(values, (0, 1)).all()) or (
        values.dtype.kind == "f" and values.ndim == 1
    ):
        raise OptionError("the contrastive stage needs classes, and the target is a number")
    _, found = np.unique(values, axis=0, return_inverse=True)
    return found.reshape(len(values)).astype(np.intp)


def class_batches(classes: NDArray[np.integer], batch_size: int, *, seed: int, epoch: int) -> list[Positions]:
    """Draw the batches of an epoch so that each holds items of every class, as far as there are enough.

    A class with at least two items for every batch is spread evenly over all of them; one with fewer comes in
    pairs (a single item has no partner to be drawn to), in as many batches as it has pairs. The emptiest
    batches are filled first, and the number of batches is the same in every epoch.

    Args:
        classes: of each item, of shape (n_items,).
        batch_size: items of a batch, about: the last portion of a class may go over it.
        seed: the run's seed.
        epoch: counted from 1.

    Returns:
        Positions of each batch, every item once.
    """
    random = np.random.default_rng([seed, epoch])
    n_batches = math.ceil(len(classes) / batch_size)
    batches: list[list[Positions]] = [[] for _ in range(n_batches)]
    sizes = np.zeros(n_batches, dtype=np.intp)
    for name in random.permutation(np.unique(classes)):
        own = random.permutation(np.flatnonzero(classes == name))
        portions = np.array_split(own, min(n_batches, max(1, len(own) // 2)))
        emptiest = np.lexsort((random.random(n_batches), sizes))
        for index, portion in zip(emptiest, portions, strict=False):  # portions come from large to small
            batches[index].append(portion)
            sizes[index] += len(portion)
    return [np.sort(np.concatenate(batch)) for batch in batches if batch]


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
    """A feed whose batches hold items of any shape: they run in parts of one shape, and are judged together.

    Pairs are wanted between all items of a batch, and a feed's batches hold items of one padded length or
    stored shape. Each batch is split by the feed's own buckets; the embeddings of its parts are joined, with
    their gradients.

    Args:
        feed: what the items come from.
        least: a part of fewer items is joined with the next bucket's, where the feed can pad them to one shape
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
        n_skipped = sum(map(len, parts[:start]))  # a part's view is drawn by its place in the epoch
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

    def embed(self, backbone: Any, inputs: Parts, device: torch.device) -> Tensor:
        """Run the trained part of the backbone on every part and join the embeddings."""
        return torch.cat([self.feed.embed(backbone, part, device) for part in inputs.inputs])
