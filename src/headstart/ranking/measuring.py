"""What each source gives for the training items: its head alone, chosen and cross-validated as a fit does it.

Legend: N items, D features.
"""

from __future__ import annotations

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


def measure(
    source: Source, features: Features, items: Items, *, scored: bool = True, n_threads: int | None = None
) -> Found:
    """Choose and cross-validate the head alone of one source, and score it.

    Args:
        source: the network.
        features: of the items.
        items: that sources are compared on.
        scored: whether transferability scores are computed too.
        n_threads: stages worked on at once; None: one if several sources are measured at once.
    """
    choice, quality = items.choose(features, n_threads)
    vectors = features.take(np.arange(min(features.n_items, _COMPARED_ITEMS))).stage(-1)
    scores = scores_of(source, features, choice, items) if scored else {}
    return Found(choice, quality, scores, np.asarray(vectors, dtype=np.float64))


def milliseconds(source: Source, items: Items, seconds: float | None) -> float:
    """Return how long a network takes per item here, all cores at work, decoding left out.

    Args:
        source: the network.
        items: a few of which it is timed on, if it has to be.
        seconds: what its extraction measured; None if it did not.
    """
    from headstart.features import seconds_per_item

    return 1e3 * (seconds_per_item(source, items.inputs, items.setting) if seconds is None else seconds)


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
