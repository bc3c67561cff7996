"""`DataSet`: items that were read, checked and split once; it needs no source, so many sources can share it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from headstart.clock import Clock
from headstart.data.checks import check
from headstart.data.duplicate_checks import identity
from headstart.data.examples import Examples, Modality
from headstart.data.findings import Finding
from headstart.data.labels import require_labels
from headstart.data.near_copies import near_copies
from headstart.data.read import read_examples
from headstart.data.scanning import Scan, scan
from headstart.data.splits import bound_groups, with_splits
from headstart.data.unreadable import check_unreadable, drop_unreadable
from headstart.processes import available_cores

Labels = Literal["required", "optional"]


@dataclass(frozen=True, eq=False)
class DataSet:
    """Readable items with what is known about them before any source is chosen.

    Legend: N items, C outputs of the task.

    Attributes:
        examples: the N readable items, each with its part of the split.
        scan: what one pass over the items found, in the order of `examples`.
        findings: what the data checks found; checks of lengths need a source (`check_lengths`).
        units: (N,) what folds keep together: groups, joined where they share an item or a near copy; None if
            there are none.
    """

    examples: Examples
    scan: Scan
    findings: tuple[Finding, ...]
    units: np.ndarray | None

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def labels(self) -> np.ndarray | None:
        """(N,) labels as text, "" where unknown; None if no item has a label."""
        return self.examples.labels

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes or labels; () for a quantity or without labels."""
        return self.examples.classes

    @cached_property
    def codes(self) -> np.ndarray | None:
        """(N,) or (N, C) labels as numbers (see `Examples.codes`); None if no item has a label."""
        return self.examples.codes

    @property
    def strata(self) -> np.ndarray | None:
        """(N,) what a split keeps in proportion, -1 where the label is unknown; None if no item has a label."""
        return self.examples.strata

    def positions(self, part: str) -> np.ndarray:
        """Positions of the items of a part: "train", "validation" or "test"."""
        return np.flatnonzero(self.examples.splits == part)

    @property
    def learnable(self) -> np.ndarray:
        """Positions of the items that are not held out: those of "train" and "validation"."""
        return np.flatnonzero(self.examples.splits != "test")

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        target: str | None = None,
        group: str | None = None,
        domain: str | None = None,
        modality: Modality | None = None,
        task: str | None = None,
        labels: Labels = "required",
        follow_outside: bool = False,
        split: bool = True,
        folds: int | None = None,
        seed: int = 0,
        threads: int | None = None,
        clock: Clock | None = None,
    ) -> DataSet:
        """Read a folder, a table, an npz or a `datasets` set, then check and split it.

        Args:
            path: where the data is (see `read_examples`).
            target: column to learn; None: label, target or class.
            group: column whose values must not lie on two sides of a split.
            domain: column that says where each item comes from; None: domain, if there is such a column.
            modality: "image", "text" or "audio" if a folder holds more than one.
            task: what the labels are; None: inferred from the labels.
            labels: "required", or "optional" for data of which some or all items have no label.
            follow_outside: links, and paths in a table, may lead out of the data folder.
            split: see `of`.
            folds: see `of`.
            seed: see `of`.
            threads: see `of`.
            clock: takes the phases "data" (reading) and "checks" (the rest).

        Raises:
            DataError: something about the data is wrong; the message says what, where and what to do.
        """
        clock = clock or Clock()
        with clock.phase("data"):
            examples = read_examples(
                path,
                target=target,
                group=group,
                domain=domain,
                modality=modality,
                task=task,
                labels=labels,
                follow_outside=follow_outside,
            )
        return cls.of(
            examples, labels=labels, split=split, folds=folds, seed=seed, threads=threads, clock=clock
        )

    @classmethod
    def of(
        cls,
        examples: Examples,
        *,
        labels: Labels = "required",
        split: bool = True,
        folds: int | None = None,
        seed: int = 0,
        threads: int | None = None,
        clock: Clock | None = None,
    ) -> DataSet:
        """Check and split examples that were already read.

        Args:
            examples: items, with or without labels.
            labels: "required", or "optional" for data of which some or all items have no label.
            split: hold items out if no split was given; False: every item is in the training part.
            folds: for cross-validation: every item is in the training part, and a given split is ignored.
            seed: random seed of the split.
            threads: threads that read and decode; None: one per core that this process may use.
            clock: takes the phase "checks".

        Raises:
            DataError: labels are missing, too many items cannot be read, or no split is possible.
        """
        if labels == "required":
            require_labels(examples)
        with (clock or Clock()).phase("checks"):
            found = scan(examples.items, examples.modality, threads=threads or available_cores())
            readable, seen = drop_unreadable(examples, found)
            keys = identity(readable, seen)
            near = near_copies(readable, seen, keys)
            keys = near.joined(keys)
            if folds is None and split:
                readable = with_splits(readable, seed=seed, keys=keys)
            else:
                readable = _all_in_training(readable, folds, seed)
            findings = (*check_unreadable(examples, found), *check(readable, seen, near))
            units = bound_groups(readable.groups, keys)
        return cls(readable, seen, findings, units)


def _all_in_training(examples: Examples, folds: int | None, seed: int) -> Examples:
    """Every item in the training part: folds hold each of them out in turn."""
    by = f", by {examples.group or 'group'}" if examples.groups is not None else ""
    ignored = " The given split is ignored." if examples.splits is not None else ""
    origin = f"All items are in the training part.{ignored}"
    if folds is not None:
        origin = f"Evaluated by cross-validation of the whole procedure{by}, seed {seed}.{ignored}"
    return replace(examples, splits=np.full(len(examples), "train", dtype=object), split_origin=origin)
