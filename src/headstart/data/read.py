"""Read the data that the user names into `Examples`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from headstart.data.examples import Examples, Modality
from headstart.data.labels import with_task
from headstart.data.layouts import LAYOUTS
from headstart.data.place import Place, ReadOptions
from headstart.errors import DataError, did_you_mean
from headstart.tasks import task_named

LabelRule: TypeAlias = Literal["required", "optional", "as written"]


def read_examples(
    data: str | Path,
    *,
    target: str | None = None,
    group: str | None = None,
    domain: str | None = None,
    modality: Modality | None = None,
    task: str | None = None,
    labels: LabelRule = "required",
) -> Examples:
    """Read a folder, a table, an npz or a `datasets` set.

    Args:
        data: class folders (with or without train/val/test), a folder with metadata.csv, a csv, tsv, jsonl,
            json or parquet file of texts or paths, an npz of pictures, a saved set or hub id of `datasets`.
        target: column to learn; None: label, target or class.
        group: column whose values must not lie on two sides of a split; None: patient, speaker, group or
            subject.
        domain: column that says where each item comes from; None: domain, if there is such a column.
        modality: "image", "text" or "audio" if a folder holds more than one.
        task: what the labels are: one class each, several labels joined by `|` or `;` (or lists), or a
            quantity; None: inferred from the labels, and a note says which.
        labels: "required"; "optional": some or all items may have none, and bare files, a single file or a
            .txt with one text per line are fine; "as written": optional, and neither checked nor interpreted.

    Raises:
        DataError: something about the data is wrong; the message says what, where and what to do.
    """
    required = labels == "required"
    asked_task = None if task is None else task_named(task)
    options = ReadOptions(target, group, domain, modality, required)
    examples = _read(Place(data), options)
    if len(examples) == 0:
        raise DataError(f"{data} holds no items.")
    return examples if labels == "as written" else with_task(examples, asked_task, required=required)


def _read(place: Place, options: ReadOptions) -> Examples:
    layout = next((layout for layout in LAYOUTS if layout.matches(place)), None)
    if layout is not None:
        return layout.read(place, options)
    if place.inside is not None:
        return _read(Place(place.inside), options)
    path = place.path
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    raise DataError(
        f"{place.data} does not exist.{did_you_mean(path.name, beside)} "
        "Give a folder, a table, an npz or the id of a data set."
    )
