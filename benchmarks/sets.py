"""The data sets that sides are compared on: one split for all of them, for each seed.

Pictures are all taken, and the given parts kept. Of the sentences each seed draws its own to learn from; what is
held out is the same for every seed.
"""

from __future__ import annotations

import csv
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.work import HYMENOPTERA, MINILM, MOBILENET, SHARED, photo_paths

DATA = SHARED / "data"
N_SMALL = 24


@dataclass(frozen=True)
class Split:
    """Files or texts with their labels: a part to learn from and one held out."""

    train: Sequence[str]
    train_labels: Sequence[str]
    test: Sequence[str]
    test_labels: Sequence[str]

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes, sorted."""
        return sorted(set(self.train_labels))

    def inside(self, held_out: Sequence[int]) -> Split:
        """A split of the training part: these of its rows are held out.

        Args:
            held_out: row numbers.
        """
        rows = set(held_out)
        own = list(zip(self.train, self.train_labels, strict=True))
        parts = [pair for row, pair in enumerate(own) if row not in rows], [own[row] for row in held_out]
        return Split(*map(list, (*zip(*parts[0], strict=True), *zip(*parts[1], strict=True))))

    def codes(self, part: str) -> list[int]:
        """Class indices of the items of "train" or "test"."""
        labels = self.train_labels if part == "train" else self.test_labels
        return [self.classes.index(label) for label in labels]


@dataclass(frozen=True)
class DataSet:
    """A data set by name, and the source that all sides start from."""

    name: str
    modality: str
    source: Path
    n_train: int | None = None
    n_test: int | None = None

    def split(self, seed: int, *, small: bool = False) -> Split:
        """The split of a seed; `small` takes a few items, to see that everything runs."""
        read = {"hymenoptera": _hymenoptera, "chest_xray": _chest_xray}.get(self.name)
        train, test = read() if read else _texts(self.name)
        if self.n_train is not None:
            train = random.Random(seed).sample(train, self.n_train)
        test = test[: self.n_test]
        if small:
            train, test = (random.Random(0).sample(part, N_SMALL) for part in (train, test))
        return Split(*map(list, (*zip(*train, strict=True), *zip(*test, strict=True))))

    def write(self, seed: int, folder: Path, *, small: bool = False) -> Path:
        """The split of a seed as headstart reads it: a csv of texts, or parts and classes as folders."""
        split = self.split(seed, small=small)
        rows = [
            *((item, label, "train") for item, label in zip(split.train, split.train_labels, strict=True)),
            *((item, label, "test") for item, label in zip(split.test, split.test_labels, strict=True)),
        ]
        if self.modality == "text":
            path = folder / f"{self.name}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([("text", "label", "split"), *rows])
            return path
        for item, label, part in rows:
            place = folder / self.name / part / label
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(item, place)
        return folder / self.name

    def data(self, seed: int, folder: Path, *, small: bool = False) -> Path:
        """What headstart is given: the data set itself where all of it is used."""
        if self.modality == "image" and not small:
            return DATA / self.name
        return self.write(seed, folder, small=small)


SETS = {
    data.name: data
    for data in (
        DataSet("hymenoptera", "image", MOBILENET),
        DataSet("chest_xray", "image", MOBILENET),
        DataSet("sst2", "text", MINILM, 2000, 800),
        DataSet("trec", "text", MINILM, 1000, 500),
    )
}

Rows = list[tuple[str, str]]


def _hymenoptera() -> tuple[Rows, Rows]:
    names = sorted(folder.name for folder in (HYMENOPTERA / "train").iterdir())
    train, test = (
        [(path, names[code]) for path, code in zip(*photo_paths(part), strict=True)]
        for part in ("train", "val")
    )
    return train, test


def _chest_xray() -> tuple[Rows, Rows]:
    train, test = _table(DATA / "chest_xray" / "metadata.csv", "file")
    folder = DATA / "chest_xray"
    return [(str(folder / name), label) for name, label in train], [
        (str(folder / name), label) for name, label in test
    ]


def _texts(name: str) -> tuple[Rows, Rows]:
    return _table(DATA / name / f"{name}.csv", "text")


def _table(path: Path, column: str) -> tuple[Rows, Rows]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    train, test = (
        [(row[column], row["label"]) for row in rows if row["split"] == part] for part in ("train", "test")
    )
    return train, test
