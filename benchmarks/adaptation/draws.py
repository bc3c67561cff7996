"""The cases of the benchmark: every pair of domains with every seed, and the items that are drawn for it.

A seed draws 80% of the items of each domain, at most 2,000. For the imbalanced cases of pacs it draws a class; the
target keeps all items of that class, and one in eight of every other one.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.adaptation.sets import REST, SETS, Items, in_domain

SEEDS = (0, 1, 2)
SHARE, MOST = 0.8, 2_000
RATIO = 8
IMBALANCED = "pacs"  # the set whose targets are also imbalanced


@dataclass(frozen=True)
class Case:
    """A pair of domains of a data set, a source and a seed.

    Attributes:
        set_name: of the data set.
        source: name of the network.
        start: the domain with labels.
        end: the domain without.
        seed: of the draw.
        imbalanced: whether the target is.
    """

    set_name: str
    source: str
    start: str
    end: str
    seed: int
    imbalanced: bool = False

    @property
    def key(self) -> str:
        """Its name in the results."""
        kind = " 8:1" if self.imbalanced else ""
        return f"{self.set_name}{kind} | {self.source} | {self.start} > {self.end} | {self.seed}"

    @property
    def start_rows(self) -> np.ndarray:
        """Positions of the source items in the data set."""
        data = items_of(self.set_name)
        return _draw(in_domain(data.domains, self.start, self.end), self.seed, self.start)

    @property
    def end_rows(self) -> np.ndarray:
        """Positions of the target items in the data set."""
        data = items_of(self.set_name)
        rows = in_domain(data.domains, self.end, self.start)
        if self.imbalanced:
            return _one_class(rows, data.labels, self.seed, self.end)
        return _draw(rows, self.seed, self.start + REST if self.end == REST else self.end)


def cases() -> list[Case]:
    """Every case, those of the first seed first."""
    found = []
    for seed in SEEDS:
        for of in SETS.values():
            for source in of.sources:
                for start, end in of.pairs(items_of(of.name).domains):
                    for imbalanced in (False, True) if of.name == IMBALANCED else (False,):
                        found.append(Case(of.name, source, start, end, seed, imbalanced))
    return found


@cache
def items_of(set_name: str) -> Items:
    """The items of a data set, read once.

    Args:
        set_name: of the data set.
    """
    return SETS[set_name].read()


def _draw(rows: np.ndarray, seed: int, name: str) -> np.ndarray:
    n_items = min(MOST, max(2, round(SHARE * len(rows))))
    return np.sort(_generator(seed, name, "draw").permutation(rows)[:n_items])


def _one_class(rows: np.ndarray, labels: np.ndarray, seed: int, name: str) -> np.ndarray:
    rng = _generator(seed, name, "imb")
    classes = np.unique(labels[rows])
    large = classes[rng.integers(len(classes))]
    kept = []
    for label in classes:
        own = rng.permutation(rows[labels[rows] == label])
        kept.append(own if label == large else own[: max(1, len(own) // RATIO)])
    return np.sort(np.concatenate(kept))


def _generator(*words: object) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(str(word).encode()) for word in words])
