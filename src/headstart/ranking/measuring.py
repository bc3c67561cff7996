"""What each source gives for the training items: its head alone, chosen and cross-validated as a fit does it.

Legend: N items, D features.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.ranking.items import Items
from headstart.ranking.opening import Candidate
from headstart.ranking.scoring import scores_of

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.features import Features
    from headstart.sources import Source

_TIMED_ITEMS = 8
_MOST_TRIES, _SECONDS = 8, 0.2  # of timing; the best counts, since other programs only slow it down
_COMPARED_ITEMS = 256
_SAME = 0.05  # largest relative difference of features that are the same but for rounding


@dataclass(frozen=True, eq=False)
class Found:
    """What one source gives.

    Attributes:
        choice: the head alone.
        quality: cross-validated, of each item that the choice was made on, of shape (N,).
        scores: transferability scores by name; larger is better.
        vectors: last vectors of the first items, of shape (at most 256, D), by which equal sources are found.
        milliseconds: per item, all threads together; None if not measured.
    """

    choice: Choice
    quality: np.ndarray
    scores: Mapping[str, float]
    vectors: np.ndarray
    milliseconds: float | None = None


@dataclass(frozen=True, eq=False)
class Measured:
    """A source with what it gives.

    Attributes:
        candidate: the source.
        found: what it gives.
    """

    candidate: Candidate
    found: Found

    @property
    def choice(self) -> Choice:
        """The head alone."""
        return self.found.choice

    @property
    def quality(self) -> np.ndarray:
        """Its cross-validated quality, of shape (N,)."""
        return self.found.quality


def measure(source: Source, features: Features, items: Items) -> Found:
    """Choose and cross-validate the head alone of one source, and score it.

    Args:
        source: the network.
        features: of the items.
        items: that sources are compared on.
    """
    choice, quality = items.choose(features)
    vectors = features.take(np.arange(min(features.n_items, _COMPARED_ITEMS))).stage(-1)
    scores = scores_of(source, features, choice, items)
    return Found(choice, quality, scores, np.asarray(vectors, dtype=np.float64))


def milliseconds(source: Source, items: Items) -> float:
    """Return how long a network takes per item here, all threads together, decoding left out.

    Args:
        source: the network.
        items: some of which it is timed on.
    """
    from headstart.data.loading import load_batches
    from headstart.features.device import torch_threads
    from headstart.features.inference import inference_network

    chosen = items.inputs[:_TIMED_ITEMS]
    ((_, inputs),) = load_batches(
        chosen, source.preprocessing, [np.arange(len(chosen))], threads=items.setting.n_threads
    )
    network = inference_network(source, replace(items.setting, n_threads=1))
    seconds: list[float] = []
    with torch_threads(items.setting.n_threads):
        while len(seconds) < 2 or (len(seconds) < _MOST_TRIES and sum(seconds) < _SECONDS):
            started = time.perf_counter()
            network.pooled(inputs)[-1].cpu()
            seconds.append(time.perf_counter() - started)
    return 1e3 * min(seconds) / len(chosen)


def merge_equal(measured: Sequence[Measured]) -> list[Measured]:
    """The sources, those of equal features named once: another file format, or weights in half precision.

    Args:
        measured: of every source.
    """
    kept: list[Measured] = []
    for each in measured:
        twin = next((one for one in kept if _are_same(one.found.vectors, each.found.vectors)), None)
        if twin is None:
            kept.append(each)
        else:
            names = (*twin.candidate.same_as, each.candidate.entry.name, *each.candidate.same_as)
            kept[kept.index(twin)] = replace(twin, candidate=replace(twin.candidate, same_as=names))
    return kept


def _are_same(one_ND: np.ndarray, other_ND: np.ndarray) -> bool:
    """Whether vectors are equal but for rounding."""
    if one_ND.shape != other_ND.shape:
        return False
    spread = float(np.linalg.norm(one_ND - one_ND.mean(axis=0)))
    return float(np.linalg.norm(one_ND - other_ND)) <= _SAME * max(spread, 1e-12)
