"""The real sets that sources are ranked on: which items are learned from, and which are held out.

A set is small to learn from and large to be judged on, so that the truth is precise. Sets of one family come from the
same data; what is chosen from sets is reported on a family that it has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.work import SHARED
from headstart.data import Scan, read_examples, scan
from headstart.data.items import take_items
from headstart.data.splits import holdout_indices


@dataclass(frozen=True)
class RankingSet:
    """A set by name.

    Attributes:
        name: in tables.
        family: sets of one family share data.
        path: below the shared data folder.
        where: columns and their values that an item must have.
        target: column to learn; None: the label.
        group: column whose values are never on both sides; None: none.
        n_train: items that are learned from, about.
        n_test: items that are held out, at most.
    """

    name: str
    family: str
    path: str
    where: tuple[tuple[str, str], ...] = ()
    target: str | None = None
    group: str | None = None
    n_train: int = 400
    n_test: int = 600


IMAGE = (
    RankingSet("hymenoptera", "hymenoptera", "hymenoptera", n_train=200),
    RankingSet("chest_xray", "chest_xray", "chest_xray", group="patient", n_test=400),
    *(
        RankingSet(f"pacs {domain}", "pacs", f"pacs/{domain}", n_train=98)
        for domain in ("photo", "art_painting", "cartoon", "sketch")
    ),
)
TEXT = (
    RankingSet("sst2", "sst2", "sst2/sst2.csv"),
    RankingSet("trec", "trec", "trec/trec.csv"),
    RankingSet("gnad10k", "gnad10k", "gnad10k/gnad10k.csv", n_train=200, n_test=300),
    RankingSet("amcd en", "amcd", "amcd/amcd.csv", (("language", "en"),)),
    RankingSet("amcd de", "amcd", "amcd/amcd.csv", (("language", "de"),)),
    RankingSet(
        "amazon_reviews", "amazon_reviews", "amazon_reviews/amazon_reviews.csv", n_train=300, n_test=300
    ),
)
AUDIO = (
    RankingSet("emodb emotion", "emodb", "emodb", group="speaker", n_train=270),
    RankingSet("emodb speaker", "emodb", "emodb", target="speaker", group="sentence", n_train=270),
    RankingSet("fsdd digit", "fsdd", "fsdd", group="speaker"),
    RankingSet("fsdd speaker", "fsdd", "fsdd", target="speaker", n_train=120),
)
SETS = {"image": IMAGE, "text": TEXT, "audio": AUDIO}


@dataclass(frozen=True, eq=False)
class Items:
    """The items of a set.

    Attributes:
        modality: "image", "text" or "audio".
        items: N files or texts.
        scan: their digests and lengths.
        labels: of shape (N,), text.
        groups: of shape (N,), or None.
        test: whether each is held out, of shape (N,).
    """

    modality: str
    items: Any
    scan: Scan
    labels: np.ndarray
    groups: np.ndarray | None
    test: np.ndarray


def read(of: RankingSet, seed: int = 0) -> Items:
    """Read a set, draw its items and split them, the same for every source.

    Args:
        of: the set.
        seed: of the draw and the split.
    """
    examples = read_examples(
        SHARED / "data" / of.path, target=of.target, group=of.group, task="classification"
    )
    keep = np.ones(len(examples), dtype=bool)
    for column, value in of.where:
        keep &= examples.columns[column] == value
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(keep))
    labels = np.asarray(examples.labels)
    groups = None if of.group is None or examples.groups is None else examples.groups[rows]
    share = min(0.9, max(0.1, 1 - of.n_train / len(rows)))
    _, held = holdout_indices(
        examples.targets.task.strata(np.asarray(examples.codes))[rows], groups, share, seed
    )
    test = np.zeros(len(rows), dtype=bool)
    test[held] = True
    few = np.concatenate([np.flatnonzero(~test)[: of.n_train], np.flatnonzero(test)[: of.n_test]])
    rows, test = rows[few], test[few]
    items = take_items(examples.items, rows)
    return Items(
        examples.modality,
        items,
        scan(items, examples.modality, threads=1),
        labels[rows],
        None if groups is None else groups[few],
        test,
    )
