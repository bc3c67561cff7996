"""The embedding that separates speakers best, chosen and centred without the items that it is scored on.

A source offers several embeddings: its own, and the vector of each stage. The one with the least equal error rate
on trials of the items learned from is taken, and its centre is their mean. With folds every fold chooses for itself.
Cosines of different embeddings are not on one scale, so the one that was chosen for most items is reported, on the
items of the folds that chose it: a trial is never among those by which its embedding was chosen.

Legend: N items, D features.

Example:
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> speakers = np.repeat(["a", "b"], 20)
    >>> voice = np.repeat([[3.0, 0.0], [0.0, 3.0]], 20, axis=0) + rng.normal(size=(40, 2))
    >>> embeddings = {"noise": rng.normal(size=(40, 2)), "voice": voice}
    >>> found = choose_embedding([Division(embeddings, np.arange(0, 40, 2), np.arange(1, 40, 2))], speakers)
    >>> found.name, found.vectors.shape
    ('voice', (20, 2))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.heads.verification import all_trials, cosine_scores, eer

N_CHOOSING = 500  # items learned from whose trials choose the embedding


@dataclass(frozen=True, eq=False)
class Division:
    """One division into items to choose by and items to score: a split, or one fold.

    Attributes:
        embeddings: name to vectors of shape (N, D) of all items.
        learned_from: positions of the items that choose.
        held_out: positions of the items to score.
    """

    embeddings: Mapping[str, NDArray[np.floating]]
    learned_from: NDArray[np.integer]
    held_out: NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class ChosenEmbedding:
    """The embedding to score held-out items by.

    Attributes:
        name: of the embedding.
        positions: of the items of the divisions that chose it.
        vectors: of these items, each minus the mean of the items that its division learned from.
        n_divisions: number of divisions that chose it.
    """

    name: str
    positions: NDArray[np.integer]
    vectors: NDArray[np.float64]
    n_divisions: int


def choose_embedding(
    divisions: Sequence[Division],
    speakers: NDArray[Any],
    differ: NDArray[Any] | None = None,
    *,
    seed: int = 0,
) -> ChosenEmbedding:
    """Choose an embedding in each division, and return the one that was chosen for most items.

    Args:
        divisions: one for a split, one per fold; all with the same names in the same order.
        speakers: of all items, of shape (N,).
        differ: what is spoken, of shape (N,): pairs of the same content are not compared.
        seed: of the sample of more than 500 items to choose by.
    """
    names = [_best(each, speakers, differ, seed) for each in divisions]
    votes: Counter[str] = Counter()
    for name, each in zip(names, divisions, strict=True):
        votes[name] += len(each.held_out)
    most = max(divisions[0].embeddings, key=lambda name: votes[name])  # of equal ones the first
    kept = [each for name, each in zip(names, divisions, strict=True) if name == most]
    vectors = []
    for each in kept:
        all_ND = np.asarray(each.embeddings[most], dtype=np.float64)
        vectors.append(all_ND[each.held_out] - all_ND[each.learned_from].mean(axis=0))
    positions = np.concatenate([each.held_out for each in kept])
    return ChosenEmbedding(most, positions, np.concatenate(vectors), len(kept))


def _best(division: Division, speakers: NDArray[Any], differ: NDArray[Any] | None, seed: int) -> str:
    """Return the name of the embedding with the least error among the items learned from; else the first."""
    train = division.learned_from
    few = np.sort(np.random.default_rng(seed).permutation(train)[:N_CHOOSING])
    trials = all_trials(speakers[few], None if differ is None else differ[few])
    if not trials.is_target.any() or trials.is_target.all():
        return next(iter(division.embeddings))
    errors = {
        name: eer(cosine_scores(all_ND[few], trials, all_ND[train].mean(axis=0)), trials.is_target)
        for name, all_ND in division.embeddings.items()
    }
    return min(errors, key=lambda name: errors[name])
