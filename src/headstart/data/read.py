"""Read the data that the user names into `Examples`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from headstart.data.columns import MissingColumn
from headstart.data.examples import Examples, Modality, label_array
from headstart.data.in_memory_data import Data, DataInMemory
from headstart.data.labels import with_task
from headstart.data.layouts import LAYOUTS, hub_datasets
from headstart.data.place import Place, ReadOptions
from headstart.errors import DataError
from headstart.files import did_you_mean_beside
from headstart.tasks import task_named

LabelRule: TypeAlias = Literal["required", "optional", "as written"]


def read_examples(
    data: Data,
    *,
    target: str | None = None,
    group: str | None = None,
    domain: str | None = None,
    modality: Modality | None = None,
    task: str | None = None,
    labels: LabelRule = "required",
    text: str | Sequence[str] | None = None,
    follow_outside: bool = False,
    weight: str | None = None,
) -> Examples:
    """Read a folder, a table, an npz or a `datasets` set.

    Args:
        data: class folders (with or without train/val/test), a folder with metadata.csv, a csv, tsv, jsonl,
            json or parquet file of texts or paths, an npz of pictures, a saved set or hub id of `datasets`; or a
            data set in memory.
        target: column to learn; None: label, target or class.
        group: column whose values must not lie on two sides of a split; None: patient, speaker, group or
            subject.
        domain: column that says where each item comes from; None: domain, if there is such a column.
        modality: "image", "text" or "audio" if a folder holds more than one.
        task: what the labels are: one class each, several labels joined by `|` or `;` (or lists), or a
            quantity; None: inferred from the labels, and a note says which.
        labels: "required"; "optional": some or all items may have none, and bare files, a single file or a
            .txt with one text per line are fine; "as written": optional, and neither checked nor interpreted.
        text: column of the texts of a table; or several, also joined by commas, that make one text; None: by its name.
        follow_outside: links, and paths in a table, may lead out of the data folder.
        weight: column of the items' weights; None: all weigh the same.

    Raises:
        DataError: something about the data is wrong; the message says what, where and what to do.
    """
    required = labels == "required"
    asked_task = None if task is None else task_named(task)
    columns = () if text is None else (text,) if isinstance(text, str) else tuple(text)
    options = ReadOptions(target, group, domain, modality, required, follow_outside, columns, weight)
    if isinstance(data, DataInMemory):
        from headstart.data.read_in_memory import read_in_memory  # a path needs no module for objects

        examples = read_in_memory(data, options)
    else:
        examples = _read(Place(data, follow_outside), options)
    if examples.labels is not None:
        examples = replace(examples, labels=label_array(examples.labels))
    if len(examples) == 0:
        raise DataError(f"{data} holds no items.")
    if weight is not None and examples.weights is None:
        raise MissingColumn(f"{data} has no columns, and so no column '{weight}' (--weight).", "weight")
    return examples if labels == "as written" else with_task(examples, asked_task, required=required)


def read_like(data: Data, given: Mapping[str, Any], own: Mapping[str, Any], **settings: Any) -> Examples:
    """Read data as other data was read: what the user names must be there, other columns are used where it has them.

    Of several columns that make one text none may be missing: a part of a text is another text.

    Args:
        data: where it is.
        given: columns that the user named for it, by option: "target", "group", "domain", "text"; None: not named.
        own: columns of the other data, by option.
        **settings: other arguments of `read_examples`.

    Raises:
        DataError: the data cannot be read.
    """
    used: dict[str, Any] = {name: own.get(name) if value is None else value for name, value in given.items()}
    try:
        return read_examples(data, **used, **settings)
    except MissingColumn as error:
        text = used.get("text")
        is_part = error.option == "text" and text is not None and not isinstance(text, str) and len(text) > 1
        if given.get(error.option) is not None or is_part:
            raise
        return read_like(data, given, {**own, error.option: None}, **settings)


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
