"""`Examples` of a data set that a script holds, by the rules of a table on disk.

Pictures and recordings may be objects (see `in_memory.as_item`) or paths. Paths in columns start from the current
folder and, as in a table, lead out of it only with `follow_outside`; those in pairs may lie anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.columns import MissingColumn, find_column, row_names
from headstart.data.examples import Examples, Modality, as_text, is_missing, string_array
from headstart.data.given import items_of
from headstart.data.in_memory import as_item, is_one_object
from headstart.data.in_memory_data import DataInMemory
from headstart.data.items import modality_of_items, suffix_modality
from headstart.data.loaded_sets import read_parts
from headstart.data.place import ReadOptions
from headstart.data.table_examples import examples_from_table
from headstart.data.tables import LONGEST_LABELS, Table
from headstart.errors import DataError


def read_in_memory(data: DataInMemory, options: ReadOptions) -> Examples:
    """The items of a data set in memory.

    Args:
        data: the data set.
        options: what the user asked for.

    Raises:
        DataError: it has no rows, a column is missing, or a value is no item.
    """
    if data.kind == "list":
        return _pairs(data, options)
    if data.kind == "DataFrame":
        return _frame(data, options)
    parts = dict(data.content) if isinstance(data.content, Mapping) else {"train": data.content}
    if not sum(len(part) for part in parts.values()):
        raise DataError(f"{data} holds no rows: give a data set with at least one row.")
    # a view of it as arrays or tensors would be decoded
    plain = {str(name): part.with_format(None) for name, part in parts.items()}
    return read_parts(str(data), plain, options, folder=Path.cwd())


def _frame(data: DataInMemory, options: ReadOptions) -> Examples:
    """The items of a DataFrame: those of its column of pictures or recordings, else as the columns of a table."""
    frame = data.content
    names = [str(name) for name in frame.columns]
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise DataError(f"{data} has more than one column {', '.join(repeated[:5])}. Rename one.")
    if not len(frame) or not names:
        raise DataError(f"{data} holds no rows: give a table with at least one row and one column.")
    columns: dict[str, np.ndarray] = {}
    media: dict[str, Sequence[Any]] = {}
    for position, name in enumerate(names):
        values = frame.iloc[:, position].tolist()
        first = next((value for value in values if not _is_missing(value)), None)
        if _is_item(first):
            media[name] = values
        elif not _is_nested(first) or _are_labels(values):
            columns[name] = string_array(map(_text, values))
    if options.modality == "text" or options.text:
        media = {}
    elif media:
        media, options = _chosen(media, data, options)
    if not columns:
        columns["row"] = string_array(range(1, len(frame) + 1))
    table = Table(Path(str(data)), columns, blobs=media)
    return examples_from_table(table, Path.cwd(), options, row_names(len(frame)))


def _chosen(
    media: Mapping[str, Sequence[Any]], data: DataInMemory, options: ReadOptions
) -> tuple[dict[str, Sequence[Any]], ReadOptions]:
    """The column of pictures or recordings that is read, its cells as items, and the options with its modality."""
    kinds = {name: _modality(values) for name, values in media.items()}
    fitting = [name for name, kind in kinds.items() if kind == options.modality] or list(kinds)
    name = find_column(("image", "audio", "file", "bytes"), fitting) or fitting[0]
    items = [_item(value, f"{data}, column '{name}', row {row + 1}") for row, value in enumerate(media[name])]
    return {name: items}, replace(options, modality=options.modality or kinds[name])


def _is_item(value: Any) -> bool:
    """Whether a cell is a picture or a recording: an object, a picture as an array, or the bytes of a file."""
    if isinstance(value, Mapping):
        return "bytes" in value or "array" in value
    return (
        is_one_object(value) or isinstance(value, bytes) or (isinstance(value, np.ndarray) and value.ndim > 1)
    )


def _modality(values: Sequence[Any]) -> Modality:
    """What a column of items holds, by its first cell that is not empty."""
    first = next(value for value in values if not _is_missing(value))
    if isinstance(first, Mapping):
        if first.get("array") is not None:
            return "audio"
        if first.get("bytes"):
            return modality_of_items([first["bytes"]])
        return "audio" if suffix_modality(str(first.get("path") or "")) == "audio" else "image"
    return modality_of_items([first]) if isinstance(first, bytes) else "image"


def _item(value: Any, name: str) -> Any:
    """A cell as an item. One without content has no bytes, and is reported as unreadable like an empty file."""
    if _is_missing(value) or (isinstance(value, Mapping) and not any(map(_is_there, value.values()))):
        return b""
    item = as_item(value, name)
    # a path stands in the form in which tables hold it, which is kept inside of the folder
    return {"bytes": None, "path": str(item)} if isinstance(item, str | Path) else item


def _is_there(value: Any) -> bool:
    return not _is_missing(value)


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray | Mapping)


def _is_missing(value: Any) -> bool:
    """Whether a cell holds nothing; a list or an array is never missing."""
    return not _is_nested(value) and is_missing(value)


def _are_labels(values: Sequence[Any]) -> bool:
    """Whether cells are short lists of texts or whole numbers, which may be the labels of their items.

    Embeddings, boxes and the like are neither labels nor texts.
    """
    listed = [value for value in values if not _is_missing(value)]
    if not all(isinstance(value, list | tuple | np.ndarray) for value in listed):
        return False
    if sum(map(len, listed)) > LONGEST_LABELS * len(listed):
        return False
    return all(isinstance(each, str | int | np.integer) for value in listed for each in value)


def _text(value: Any) -> str:
    """A cell as the text that a table would hold."""
    if isinstance(value, tuple | np.ndarray | np.generic):
        value = np.asarray(value, dtype=object if isinstance(value, tuple) else None).tolist()
    return "" if _is_missing(value) else as_text(value)


def _pairs(data: DataInMemory, options: ReadOptions) -> Examples:
    """Items and labels of a list of pairs."""
    asked = {
        "target": options.target, "group": options.group, "domain": options.domain,
        "text": ", ".join(options.text),
    }  # fmt: skip
    for option, column in asked.items():
        if column:
            raise MissingColumn(f"{data} has no columns, and so no column '{column}' (--{option}).", option)
    items = items_of([item for item, _ in data.content], "data")
    labels = [_text(label) for _, label in data.content]
    return replace(Examples.from_lists(items, labels, modality=options.modality), where=str(data))
