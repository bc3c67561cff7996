"""`Examples`: the items of a data set with their labels, groups, splits and other columns.

Legend: N items. Every per-item array has shape (N,) and holds Python strings (dtype object), unchanged from
what the user wrote: speaker "03" stays "03".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headstart.data.items import Item, ItemView, is_one_picture, modality_of_items, take_items
from headstart.errors import DataError
from headstart.tasks import CLASSIFICATION, Targets, Task, plain_name
from headstart.units import counted

Modality = Literal["image", "text", "audio"]


def string_array(values: Iterable[Any]) -> np.ndarray:
    """Strings as a 1-d object array; "" stands for a missing value.

    Args:
        values: strings, numbers, or what stands for a missing value.
    """
    listed = ["" if is_missing(value) else str(value) for value in values]
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array


def as_text(value: Any) -> str:
    """A value of a typed table as the string a user would write; "" for a missing one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def is_missing(value: Any) -> bool:
    """Whether a value of a script stands for none: None, NaN, or NA and NaT of pandas."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def label_array(values: Iterable[Any]) -> np.ndarray:
    """`string_array` of labels: one of nothing but spaces and invisible characters is missing too."""
    labels = string_array(values)
    blank = {label for label in set(labels) if not plain_name(label)}
    return string_array("" if label in blank else label for label in labels)


@dataclass(frozen=True, eq=False)
class Examples:
    """Items and what is known about each, as read from the user's data.

    Args:
        modality: "image", "text" or "audio".
        items: N items: paths, texts, encoded bytes or pixel arrays (H, W) or (H, W, 3) uint8; fetched one by
            one.
        names: (N,) the name of each item in messages: a relative path, "row 12", "train_images[3]".
        labels: (N,) the target's values as text, in the form of the task; "" where unknown, None if all are.
        groups: (N,) what must not lie on two sides of a split (patient, speaker), None if there are none.
        domains: (N,) where each item comes from (photo, sketch; one hospital, another), None if there are none.
        splits: (N,) "train", "validation" or "test", None when none was given.
        columns: all other columns, (N,) each.
        target: name of the column the labels came from.
        group: name of the column the groups came from.
        domain: name of the column the domains came from.
        root: the folder the data was read from.
        split_origin: a sentence saying where the split came from.
        notes: sentences on what was decided while reading (the text column, the encoding, ...).
        where: the file or folder that the labels came from, for messages.
        task: what is learned from the labels.
        text_columns: the columns of a table that the texts came from; () for other items.
        weights: (N,) float64, how much each item counts in learning; None: all the same.
        weight: name of the column the weights came from.
    """

    modality: Modality
    items: Sequence[Item]
    names: np.ndarray
    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    domains: np.ndarray | None = None
    splits: np.ndarray | None = None
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    target: str = "label"
    group: str | None = None
    domain: str | None = None
    root: Path | None = None
    split_origin: str = ""
    notes: tuple[str, ...] = ()
    where: str = ""
    task: Task = CLASSIFICATION
    text_columns: tuple[str, ...] = ()
    weights: np.ndarray | None = None
    weight: str | None = None

    def __post_init__(self) -> None:
        per_item: dict[str, np.ndarray | None] = {
            "names": self.names,
            "labels": self.labels,
            "groups": self.groups,
            "domains": self.domains,
            "splits": self.splits,
            "weights": self.weights,
            **self.columns,
        }
        for what, values in per_item.items():
            if values is not None and len(values) != len(self.items):
                given = f"{counted(len(values), 'values')} for {counted(len(self.items), 'items')}"
                raise DataError(f"{what} has {given}: give one per item.")

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def labelled(self) -> np.ndarray:
        """(N,) bool: which items have a label."""
        if self.labels is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.labels != "", dtype=bool)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The distinct classes or labels, whole numbers by value, else sorted; () for a quantity or no labels."""
        return () if self.labels is None else self.task.names_in(set(self.labels) - {""})

    @cached_property
    def targets(self) -> Targets:
        """The task with the names of its outputs."""
        return Targets(self.task, self.classes if self.task.has_classes else (self.target,))

    @property
    def codes(self) -> np.ndarray | None:
        """The labels as numbers, in the form of `Targets.encode`; None if no item has a label.

        An item without a label has -1 for its class, and NaN everywhere else.
        """
        return None if self.labels is None else self._of_labelled(self.targets.encode)

    @cached_property
    def strata(self) -> np.ndarray | None:
        """(N,) int64: what a split keeps in proportion; -1 where the label is unknown, None if all are."""
        if self.labels is None:
            return None
        return self._of_labelled(lambda labels: self.task.strata(self.targets.encode(labels)))

    def _of_labelled(self, numbers_of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Numbers computed from the labelled items alone, -1 or NaN for the others."""
        labels, known = np.asarray(self.labels), self.labelled
        if known.all():
            return numbers_of(labels)
        own = numbers_of(labels[known])
        missing = -1 if np.issubdtype(own.dtype, np.integer) else np.nan
        numbers = np.full((len(labels), *own.shape[1:]), missing, dtype=own.dtype)
        numbers[known] = own
        return numbers

    @property
    def other_columns(self) -> dict[str, np.ndarray]:
        """Columns that are neither items nor labels by name, (N,) each: groups, domains and what is not used."""
        named = {self.group: self.groups, self.domain: self.domains}
        used = {name: values for name, values in named.items() if name is not None and values is not None}
        return {**used, **self.columns}

    def take(self, indices: np.ndarray | Sequence[int]) -> Examples:
        """The examples at some positions, in that order.

        Args:
            indices: positions, or a boolean mask of shape (N,).
        """
        positions = np.asarray(indices)
        positions = np.flatnonzero(positions) if positions.dtype == bool else positions.astype(np.int64)

        def part(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[positions]

        return replace(
            self,
            items=take_items(self.items, positions),
            names=self.names[positions],
            labels=part(self.labels),
            groups=part(self.groups),
            domains=part(self.domains),
            splits=part(self.splits),
            weights=part(self.weights),
            columns={name: values[positions] for name, values in self.columns.items()},
        )

    @classmethod
    def from_lists(
        cls,
        items: Sequence[Any] | np.ndarray,
        labels: Iterable[Any] | None = None,
        groups: Iterable[Any] | None = None,
        modality: Modality | None = None,
        task: Task = CLASSIFICATION,
        weights: np.ndarray | None = None,
    ) -> Examples:
        """Examples from lists or arrays in a script.

        Args:
            items: paths (or path strings with a known suffix), texts, or uint8 pictures (N, H, W[, 3]); without
                labels also one picture (H, W) or (H, W, 3).
            labels: one per item, turned into strings by `str`; None, NaN or "" where unknown.
            groups: one per item.
            modality: found from the items when None.
            task: what the labels are; several labels per item are joined by `|`.
            weights: one per item, as `weights.checked_weights` gives them.

        Raises:
            DataError: nothing was given, lengths differ, or the modality cannot be inferred.
        """
        if len(items) == 0:
            raise DataError("no items were given: pass at least one.")
        if labels is None and isinstance(items, np.ndarray) and is_one_picture(items):
            items = items[None]
        kind = modality or modality_of_items(items)
        kept: Sequence[Item]
        if isinstance(items, np.ndarray) and items.ndim > 1:
            kept = ItemView([items])
            names = string_array(f"items[{index}]" for index in range(len(items)))
        elif kind == "text":
            kept = [str(item) for item in items]
            names = string_array(f"row {index + 1}" for index in range(len(items)))
        else:
            kept = [Path(item) if isinstance(item, str) else item for item in items]
            names = string_array(
                str(item) if isinstance(item, Path) else f"items[{index}]" for index, item in enumerate(kept)
            )
        return cls(
            modality=kind,
            items=kept,
            names=names,
            labels=None if labels is None else label_array(labels),
            groups=None if groups is None else string_array(groups),
            task=task,
            weights=weights,
        )
