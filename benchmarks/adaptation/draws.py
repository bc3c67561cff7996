"""The cases of the benchmark: every pair of domains with every seed, and the items that are drawn for it.

A seed draws 80% of the items of each domain, at most 2,000. The targets of pacs are also imbalanced, in two ways, with
all of their items:

8:1         half of the classes, drawn, keep all items, the others one in eight (step imbalance of ratio 8, Buda et al.
            2018, "A systematic study of the class imbalance problem in convolutional neural networks", section 3.1)
one class   one class, drawn, keeps all items, the others one in eight
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
IMBALANCED = ("pacs", "pacs lite0")  # the sets whose targets are also imbalanced
STEP, ONE_CLASS = "8:1", "one class"


@dataclass(frozen=True)
class Case:
    """A pair of domains of a data set, a source and a seed.

    Attributes:
        set_name: of the data set.
        source: name of the network.
        start: the domain with labels.
        end: the domain without.
        seed: of the draw.
        imbalance: of the target's classes, by its name above; "": as they are.
    """

    set_name: str
    source: str
    start: str
    end: str
    seed: int
    imbalance: str = ""

    @property
    def key(self) -> str:
        """Its name in the results."""
        kind = f" {self.imbalance}" if self.imbalance else ""
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
        if self.imbalance:
            return _imbalanced(rows, data.labels, self)
        return _draw(rows, self.seed, self.start + REST if self.end == REST else self.end)


def cases() -> list[Case]:
    """Every case, those of the first seed first."""
    found = []
    for seed in SEEDS:
        for of in SETS.values():
            for source in of.sources:
                for start, end in of.pairs(items_of(of.name).domains):
                    for imbalance in ("", STEP, ONE_CLASS) if of.name in IMBALANCED else ("",):
                        found.append(Case(of.name, source, start, end, seed, imbalance))
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


def _imbalanced(rows: np.ndarray, labels: np.ndarray, case: Case) -> np.ndarray:
    rng = _generator(case.seed, case.end, case.imbalance)
    classes = rng.permutation(np.unique(labels[rows]))
    large = classes[: len(classes) // 2 if case.imbalance == STEP else 1]
    kept = []
    for label in classes:
        own = rng.permutation(rows[labels[rows] == label])
        kept.append(own if label in large else own[: max(1, len(own) // RATIO)])
    return np.sort(np.concatenate(kept))


def _generator(*words: object) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(str(word).encode()) for word in words])
