"""Read a `datasets` hub id or a set saved by `save_to_disk`; images and recordings are fetched row by row."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.columns import domain_column, group_column, row_names, target_column, text_items
from headstart.data.content import require_regular
from headstart.data.examples import Examples, Modality, as_text, string_array
from headstart.data.items import Item, ItemView, suffix_modality
from headstart.data.listing import Border
from headstart.data.place import Place, ReadOptions, is_table
from headstart.data.table_examples import examples_from_columns
from headstart.data.table_files import Embedded
from headstart.errors import DataError, one_line, parsing
from headstart.files import did_you_mean_beside
from headstart.progress import say

DESCRIPTION = "a `datasets` hub id or saved data set"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?(:[\w.-]+)?")


def matches(place: Place) -> bool:
    """Whether `datasets` saved a set into this folder, or there is nothing here and it may be a hub id."""
    if place.is_folder:
        return is_saved_dataset(place.path)
    name = place.data
    return (
        not place.is_file
        and isinstance(name, str)
        and _HUB_ID.fullmatch(name) is not None
        and suffix_modality(name) is None
        and not is_table(name)
    )


def is_saved_dataset(folder: Path) -> bool:
    """Whether `datasets` saved a set (or a dictionary of splits) into this folder."""
    return os.path.isfile(folder / "dataset_dict.json") or (
        os.path.isfile(folder / "state.json") and os.path.isfile(folder / "dataset_info.json")
    )


def read(place: Place, options: ReadOptions) -> Examples:
    """Items of a hub id ("owner/name" or "owner/name:configuration") or of a saved set.

    Raises:
        DataError: the set cannot be loaded, or has no column of images, recordings or texts.
    """
    data = place.path if place.is_folder else str(place.data)
    parts = _load(data)
    if options.labels_required and len(parts) > 1 and any(name.startswith("train") for name in parts):
        parts = {name: part for name, part in parts.items() if _has_labels(part, options.target)} or parts
    return _examples(str(data), parts, options)


def _load(data: str | Path) -> dict[str, Any]:
    import datasets

    try:
        if isinstance(data, Path):
            require_regular(path for path in data.rglob("*") if not path.is_dir())
            loaded = datasets.load_from_disk(str(data))
        else:
            name, _, configuration = data.partition(":")
            with _library_offline(not _reachable(name)):
                loaded = datasets.load_dataset(name, configuration or None)
    except DataError:
        raise
    except Exception as error:  # the library raises many kinds of errors: the user needs the first line
        raise DataError(
            f"'{data}' is neither a file or folder here nor a data set that could be loaded: {one_line(error)}"
            f"{_remedy(error)}{did_you_mean_beside(Path(data))}"
        ) from None
    parts = dict(loaded) if isinstance(loaded, dict) else {"train": loaded}
    for part in parts.values():
        _require_valid(data, part)
    return parts


def _require_valid(data: str | Path, part: Any) -> None:
    """Refuse damaged Arrow files, which are mapped as they are: their values would end the process.

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


def _remedy(error: Exception) -> str:
    """What to do about an error of `datasets`, as the end of a sentence; "" if its own words are enough."""
    import datasets
    from datasets.exceptions import DatasetNotFoundError

    if datasets.config.HF_HUB_OFFLINE:
        return ". HF_HUB_OFFLINE is set, so only sets on this disk can be read: unset it to ask the hub."
    if isinstance(error, DatasetNotFoundError):
        return " Check the path or the name (OWNER/NAME); for a private set, set HF_TOKEN."
    return ""


def _reachable(name: str) -> bool:
    """Ask the hub once, and briefly: the library would try six times, even for a mistyped path.

    Returns:
        False if the hub cannot be reached, and the set is on this disk.

    Raises:
        DataError: the hub cannot be reached, and the set is not on this disk.
    """
    import datasets
    from datasets.naming import camelcase_to_snakecase
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    if datasets.config.HF_HUB_OFFLINE:
        return True  # the library does not go online, and its error is reported with the remedy
    *owner, own = name.split("/")
    kept = Path(datasets.config.HF_DATASETS_CACHE) / "___".join([*owner, camelcase_to_snakecase(own)])
    try:
        HfApi().dataset_info(name, timeout=10)
        return True
    except (HfHubHTTPError, ValueError):
        return True  # the hub answered, or the name is not a valid one: loading the set reports what is wrong
    except Exception:  # the HTTP library that huggingface_hub uses has errors of its own
        if kept.is_dir():
            say(f"the hub cannot be reached: '{name}' is read as it is on this disk")
            return False
        raise DataError(
            f"'{name}' is neither a file or folder here nor a data set on this disk, and the hub cannot be "
            f"reached: check the path.{did_you_mean_beside(Path(name))}"
        ) from None


@contextmanager
def _library_offline(offline: bool) -> Iterator[None]:
    """Keep `datasets` offline for a while: it reads this setting at every call."""
    import datasets

    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = offline or before
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def _has_labels(part: Any, target: str | None) -> bool:
    """Whether a part's labels are there: hub sets often hold -1 if labels are kept secret."""
    name = target_column(part.column_names, target, "the data set", labelled=False)
    return name is None or not all(value in (-1, None) for value in part[name][:100])


def _examples(where: str, parts: dict[str, Any], options: ReadOptions) -> Examples:
    import datasets

    first = next(iter(parts.values()))
    kinds = {
        name: "image" if isinstance(feature, datasets.Image) else "audio"
        for name, feature in first.features.items()
        if isinstance(feature, (datasets.Image, datasets.Audio))
    }
    media = next((name for name, kind in kinds.items() if options.modality in (None, kind)), None)
    plain = [name for name, feature in first.features.items() if _is_plain(feature)]
    columns = {name: _string_column(where, name, parts) for name in plain}
    split_from = None
    if len(parts) > 1 and "split" not in columns:
        columns["split"] = string_array(name for name, part in parts.items() for _ in range(len(part)))
        split_from = "the data set's parts"
    names = row_names(
        len(next(iter(columns.values()))) if columns else sum(len(part) for part in parts.values())
    )
    notes: tuple[str, ...] = ()
    items: Any
    kind: Modality
    used: tuple[str, ...]
    if media is not None:
        kind = "image" if kinds[media] == "image" else "audio"
        feature = datasets.Image(decode=False) if kind == "image" else datasets.Audio(decode=False)
        undecoded = [part.select_columns([media]).cast_column(media, feature) for part in parts.values()]
        items, used = ItemView(undecoded, wrap=_Unwrap(media, _border(where, options))), (media,)
    else:
        kind = "text"
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


def _border(where: str, options: ReadOptions) -> Border:
    """Where the files of a data set may lie: in its own folder, or in the cache of what the hub sent."""
    from datasets import config
    from huggingface_hub.constants import HF_HUB_CACHE

    cached = [Path(config.HF_DATASETS_CACHE), Path(HF_HUB_CACHE)]
    own = Path(where).expanduser()
    return Border([own, *cached] if own.is_dir() else cached, options.follow_outside)


class _Unwrap:
    """Make an item of a data set's row: its encoded bytes, or the path of its file."""

    def __init__(self, column: str, border: Border) -> None:
        self._column, self._embedded = column, Embedded(Path(), border)

    def __call__(self, row: Any) -> Item:
        return self._embedded(row[self._column])
