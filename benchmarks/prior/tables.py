"""Published tables of the accuracy that sources reach on data sets (provenance: README.md of `golden` in shared).

Legend: T data sets, S sources.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.work import SHARED

GOLDEN = SHARED / "golden"
N_POOLS, N_IN_POOL = 5, 12  # of a table of hundreds of sources

CLASSES = {
    "aircraft": 100, "caltech101": 101, "caltech256": 256, "cars": 196, "cifar10": 10, "cifar100": 100, "clevr": 8,
    "diabetic_retinopathy_detection": 5, "dmlab": 6, "dsprites": 16, "dtd": 47, "eurosat": 10, "flowers": 102,
    "food": 101, "kitti": 4, "patch_camelyon": 2, "pets": 37, "resisc45": 45, "smallnorb_label_azimuth": 18,
    "smallnorb_label_elevation": 9, "sun397": 397, "svhn": 10, "voc2007": 20,
}  # fmt: skip
ALIASES = {
    "caltech-101": "caltech101", "caltech-256": "caltech256", "food101": "food", "oxford_flowers102": "flowers",
    "oxford_iiit_pet": "pets", "oxfordiiitpets": "pets", "smallnorb": "smallnorb_label_azimuth",
    "stanfordcars": "cars", "svhn_cropped": "svhn",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Table:
    """Accuracies of sources on data sets.

    Attributes:
        name: for the report.
        data: name of each data set, T of them.
        scores: accuracies as shares, of shape (T, S); NaN where none is published.
        upstream: accuracy on ImageNet, of shape (S,); None if it is not published.
    """

    name: str
    data: tuple[str, ...]
    scores: np.ndarray
    upstream: np.ndarray | None = None

    def pools(self) -> list[Table]:
        """This table, or, if it is large, as many sources as a user would compare, drawn several times."""
        n_sources = self.scores.shape[1]
        if n_sources <= 5 * N_IN_POOL:
            return [self]
        drawn = [np.random.default_rng(seed).permutation(n_sources)[:N_IN_POOL] for seed in range(N_POOLS)]
        return [replace(self, scores=self.scores[:, columns]) for columns in drawn]


def published(folder: Path = GOLDEN) -> list[Table]:
    """Return the tables, each of other sources or of another way to train.

    Args:
        folder: that holds the files.
    """
    rows = _read(folder / "model_ranking_tables.csv")
    named = {
        "SFDA, supervised CNNs": "sfda_group1_supervised_cnn",
        "SFDA, self-supervised ResNet-50": "sfda_group2_selfsupervised_rn50",
        "EMMS, vision transformers": "emms_vit",
        "TLlib, CNNs": "tllib_model_selection",
        "TransRate, 13 networks": "transrate_model_selection",
    }
    tables = []
    for name, benchmark in named.items():
        own = [row for row in rows if row["benchmark"] == benchmark]
        cells = [
            (row["dataset"], row["model"], row["value"]) for row in own if row["quantity"] == "finetune_acc"
        ]
        upstream = {
            row["model"]: float(row["value"]) / 100 for row in own if row["quantity"] == "imagenet_top1"
        }
        tables.append(_table(name, cells, upstream))
    for name, file in (
        ("TransferGraph, full sets", "transfergraph_full_finetune.csv"),
        ("TransferGraph, 800 images", "transfergraph_vtab800.csv"),
    ):
        cells = [(row["dataset"], row["model"], row["test_accuracy"]) for row in _read(folder / file)]
        tables.append(_table(name, cells, {}))
    return tables


def stated(folder: Path = GOLDEN) -> list[Table]:
    """Return the tables of sources that state their accuracy on one upstream data set, at least 20 of them.

    Args:
        folder: that holds the files.
    """
    rows = [row for row in _read(folder / "transfergraph_full_finetune.csv") if row["source_accuracy"]]
    tables = [table for table in published(folder) if table.upstream is not None]
    for upstream in sorted({row["source_dataset"] for row in rows}):
        own = [row for row in rows if row["source_dataset"] == upstream]
        accuracies = {row["model"]: float(row["source_accuracy"]) for row in own}
        if len(accuracies) >= 20:
            cells = [(row["dataset"], row["model"], row["test_accuracy"]) for row in own]
            tables.append(_table(f"TransferGraph, sources trained on {upstream}", cells, accuracies))
    return tables


def _table(name: str, cells: Iterable[tuple[str, str, str]], upstream: dict[str, float]) -> Table:
    """A table of cells of data set, source and accuracy; of several cells of one place the mean."""
    values: dict[tuple[str, str], list[float]] = {}
    for data, source, value in cells:
        if value:
            values.setdefault((ALIASES.get(data, data), source), []).append(float(value))
    sets, sources = (tuple(sorted({place[axis] for place in values})) for axis in (0, 1))
    scores = np.array(
        [[np.mean(values.get((data, source), [np.nan])) for source in sources] for data in sets]
    )
    scores = scores / 100 if np.nanmax(scores) > 1 else scores
    stated = np.array([upstream[source] for source in sources]) if upstream else None
    return Table(name, sets, scores, stated)


def _read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
