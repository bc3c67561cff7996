"""`Examples` of a data set of `datasets` that is loaded; images and recordings are fetched row by row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headstart.data.columns import domain_column, group_column, row_names, target_column, text_items
from headstart.data.examples import Examples, Modality, as_text, string_array
from headstart.data.in_memory import as_item
from headstart.data.items import Item, ItemView
from headstart.data.listing import Border
from headstart.data.place import ReadOptions
from headstart.data.table_examples import examples_from_columns, examples_from_table
from headstart.data.table_files import Embedded
from headstart.data.tables import Table
from headstart.errors import DataError, parsing


def read_parts(
    where: str, parts: dict[str, Any], options: ReadOptions, folder: Path | None = None
) -> Examples:
    """Items of a data set of `datasets` that is loaded.

    Args:
        where: what messages call it.
        parts: its parts by name, such as "train"; at least one, none of them in another format than the library's own.
        options: what the user asked for.
        folder: what relative paths start from, for a set that a script holds: it may have a column of paths.

    Raises:
        DataError: it has no column of images, recordings or texts, or a value is damaged.
    """
    for part in parts.values():
        require_valid(where, part)
    if options.labels_required and len(parts) > 1 and any(name.startswith("train") for name in parts):
        parts = {name: part for name, part in parts.items() if _has_labels(part, options.target)} or parts
    return _examples(where, parts, options, folder)


def require_valid(data: str | Path, part: Any) -> None:
    """Refuse damaged Arrow files, which are mapped as they are: their values would end the process.

    Args:
        data: what messages call the set.
        part: of it.

    Raises:
        DataError: an offset, a text or the number of a row is wrong.
    """
    with parsing(data, "a data set in Arrow files", "save it, or download it, again", DataError):
        part.data.table.validate(full=True)
        if part._indices is not None:
            part._indices.table.validate(full=True)
            rows = part._indices.column(0).to_numpy()
            if len(rows) and not 0 <= rows.min() <= rows.max() < part.data.num_rows:
                raise ValueError("the numbers of its rows are outside of the table")


def _has_labels(part: Any, target: str | None) -> bool:
    """Whether a part's labels are there: hub sets often hold -1 if labels are kept secret."""
    name = target_column(part.column_names, target, "the data set", labelled=False)
    return name is None or not all(value in (-1, None) for value in part[name][:100])


def _examples(where: str, parts: dict[str, Any], options: ReadOptions, folder: Path | None) -> Examples:
    media, kind = _media_column(next(iter(parts.values())).features, options)
    columns, split_from = _columns(where, parts)
    n_rows = sum(len(part) for part in parts.values())
    names = row_names(n_rows)
    notes: tuple[str, ...] = ()
    items: Any
    used: tuple[str, ...]
    if media is not None:
        unwrap = _Unwrap(media, _border(where, options, folder))
        items, used = ItemView([_undecoded(part, media) for part in parts.values()], wrap=unwrap), (media,)
    elif folder is not None:
        return examples_from_table(Table(Path(where), columns), folder, options, names, split_from)
    else:
        label = target_column(columns, options.target, where, options.labels_required)
        own_group = group_column(columns, options.group, label, where)
        own_domain = domain_column(columns, options.domain, (label, own_group), where)
        taken = [label, own_group, options.domain and own_domain, "split"]
        items, used, note = text_items(columns, options.text, where, taken, spare=own_domain)
        notes = (note,) if note else ()
    return examples_from_columns(
        columns, items, names, kind, options,
        where=where, item_columns=used, notes=notes, split_from=split_from,
    )  # fmt: skip


def _media_column(features: Mapping[str, Any], options: ReadOptions) -> tuple[str | None, Modality]:
    """The column of pictures or recordings that is read, and which they are; (None, "text") if texts are read."""
    if options.text:
        return None, "text"
    for name, feature in features.items():
        kind = _media(feature)
        if kind is not None and options.modality in (None, kind):
            return name, kind
    return None, "text"


def _columns(where: str, parts: dict[str, Any]) -> tuple[dict[str, np.ndarray], str | None]:
    """The columns of values or labels as strings, and what the column `split` was made from if the set has none."""
    features = next(iter(parts.values())).features
    plain = [name for name, feature in features.items() if _is_plain(feature)]
    columns = {name: _string_column(where, name, parts) for name in plain}
    if len(parts) == 1 or "split" in columns:
        return columns, None
    columns["split"] = string_array(name for name, part in parts.items() for _ in range(len(part)))
    return columns, "the data set's parts"


def _media(feature: Any) -> Literal["image", "audio"] | None:
    """What a column holds: pictures, recordings (also samples with their rate, as plain values), or neither."""
    import datasets

    if isinstance(feature, datasets.Image):
        return "image"
    is_samples = isinstance(feature, dict) and {"array", "sampling_rate"} <= feature.keys()
    return "audio" if is_samples or isinstance(feature, datasets.Audio) else None


def _undecoded(part: Any, column: str) -> Any:
    """A column of pictures or recordings alone, whose files the library leaves as they are."""
    import datasets

    feature = part.features[column]
    if isinstance(feature, dict):
        return part.select_columns([column])
    plain = (
        datasets.Image(decode=False) if isinstance(feature, datasets.Image) else datasets.Audio(decode=False)
    )
    return part.select_columns([column]).cast_column(column, plain)


def _is_plain(feature: Any) -> bool:
    """Whether a column holds one value per row, or labels (embeddings and boxes are neither labels nor texts)."""
    import datasets

    inner = getattr(feature, "feature", None)
    names = isinstance(inner, datasets.ClassLabel) or (
        isinstance(inner, datasets.Value) and inner.dtype in ("string", "large_string")
    )
    return names or isinstance(feature, (datasets.Value, datasets.ClassLabel))


def _string_column(where: str, name: str, parts: dict[str, Any]) -> np.ndarray:
    """A column as strings over all parts; class numbers become class names.

    Raises:
        DataError: a value is damaged, such as a class number that has no name.
    """
    import datasets

    values: list[Any] = []
    for part in parts.values():
        feature = part.features[name]
        with parsing(f"{where}, column '{name}'", "a column of a data set", "save it again", DataError):
            column = part.data.column(name).to_pylist() if part._indices is None else list(part[name])
            if isinstance(feature, datasets.ClassLabel):
                column = [None if value is None or value < 0 else feature.int2str(value) for value in column]
            inner = getattr(feature, "feature", None)
            if isinstance(inner, datasets.ClassLabel):
                column = [None if row is None else [inner.int2str(value) for value in row] for row in column]
        values += column
    return string_array(as_text(value) for value in values)


def _border(where: str, options: ReadOptions, folder: Path | None) -> Border:
    """Where the files of a data set may lie: in its own folder, or in the cache of what the hub sent."""
    from datasets import config
    from huggingface_hub.constants import HF_HUB_CACHE

    cached = [Path(config.HF_DATASETS_CACHE), Path(HF_HUB_CACHE)]
    own = Path(where).expanduser() if folder is None else folder
    return Border([own, *cached] if own.is_dir() else cached, options.follow_outside)


class _Unwrap:
    """Make an item of a data set's row: its encoded bytes, the path of its file, or its samples as a recording."""

    def __init__(self, column: str, border: Border) -> None:
        self._column, self._embedded = column, Embedded(Path(), border)

    def __call__(self, row: Any) -> Item:
        value = row[self._column]
        if isinstance(value, Mapping) and value.get("array") is not None:
            item: Item = as_item(value, f"column '{self._column}'")
            return item
        return self._embedded(value)
