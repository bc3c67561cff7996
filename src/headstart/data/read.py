"""Read the data that the user names into `Examples`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from headstart.data.examples import Examples, Modality, label_array
from headstart.data.labels import with_task
from headstart.data.layouts import LAYOUTS, hub_datasets
from headstart.data.place import Place, ReadOptions
from headstart.errors import DataError
from headstart.files import did_you_mean_beside
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
    text: str | None = None,
    follow_outside: bool = False,
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
        text: column of the texts of a table, or several joined by commas, whose texts are joined; None: by its name.
        follow_outside: links, and paths in a table, may lead out of the data folder.

    Raises:
        DataError: something about the data is wrong; the message says what, where and what to do.
    """
    required = labels == "required"
    asked_task = None if task is None else task_named(task)
    columns = () if text is None else tuple(name.strip() for name in text.split(",") if name.strip())
    options = ReadOptions(target, group, domain, modality, required, follow_outside, columns)
    examples = _read(Place(data, follow_outside), options)
    if examples.labels is not None:
        examples = replace(examples, labels=label_array(examples.labels))
    if len(examples) == 0:
        raise DataError(f"{data} holds no items.")
    return examples if labels == "as written" else with_task(examples, asked_task, required=required)


def read_without(data: str | Path, given: dict[str, Any], may_lack: tuple[str, ...]) -> Examples:
    """Read data that may lack named columns; a column that it has is used.

    Args:
        data: where it is.
        given: other arguments of `read_examples`.
        may_lack: those of them that name such columns: "target", "domain", "group", "text".

    Raises:
        DataError: the data cannot be read.
    """
    try:
        return read_examples(data, **given)
    except DataError as error:
        lacking = [name for name in may_lack if given[name] is not None and f"(--{name})" in str(error)]
        if not lacking:
            raise
        rest = tuple(name for name in may_lack if name != lacking[0])
        return read_without(data, {**given, lacking[0]: None}, rest)


def _read(place: Place, options: ReadOptions) -> Examples:
    require_place(place)
    layout = next((layout for layout in LAYOUTS if layout.matches(place)), None)
    if layout is not None:
        return layout.read(place, options)
    assert place.inside is not None  # class folders take every other folder
    return _read(Place(place.inside, place.follow_outside), options)


def require_place(place: Place) -> None:
    """Refuse a path at which there is nothing to read, without reading anything.

    Raises:
        DataError: it does not exist and cannot be the id of a data set, or is neither a file nor a folder.
    """
    if place.is_folder or place.is_file:
        return
    path = place.path
    if os.path.exists(path):
        raise DataError(
            f"{place.data} is neither a file nor a folder (a named pipe or a device): copy it to a file."
        )
    if hub_datasets.matches(place):
        return
    raise DataError(
        f"{place.data} does not exist.{did_you_mean_beside(path)} "
        "Give a folder, a table, an npz or the id of a data set."
    )
