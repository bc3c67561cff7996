"""Read whatever the user points at into `Examples`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headstart.data.arrays import read_npz
from headstart.data.columns import (
    examples_from_columns,
    find_column,
    group_column,
    path_column,
    require_column,
    require_path_column,
    row_names,
    target_column,
    text_column,
)
from headstart.data.examples import Examples, Modality, string_array
from headstart.data.folders import list_files, read_class_folders, read_metadata_folder
from headstart.data.given_split import part_of
from headstart.data.hub import is_saved_dataset, read_dataset
from headstart.data.items import suffix_modality
from headstart.data.labels import with_task
from headstart.data.tables import TABLE_SUFFIXES, Table, read_table, read_text
from headstart.errors import DataError, did_you_mean
from headstart.tasks import task_named

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?(:[\w.-]+)?")


def read_examples(
    data: str | Path,
    *,
    target: str | None = None,
    group: str | None = None,
    domain: str | None = None,
    modality: Modality | None = None,
    task: str | None = None,
    labels: Literal["required", "optional", "as written"] = "required",
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
            quantity; None: inferred from the labels, which a note says.
        labels: "required"; "optional": some or all items may have none, and bare files, a single file or a
            .txt with one text per line are fine; "as written": optional, and neither checked nor interpreted.

    Raises:
        DataError: something about the data is wrong; the message says what, where and what to do.
    """
    path = Path(data).expanduser()
    labelled = labels == "required"
    asked_task = None if task is None else task_named(task)
    asked: dict[str, Any] = {
        "target": target, "group": group, "domain": domain, "modality": modality, "labelled": labelled,
    }  # fmt: skip
    if path.is_dir():
        examples = _read_folder(path, asked)
    elif path.is_file():
        examples = _read_file(path, asked)
    elif isinstance(data, str) and _HUB_ID.fullmatch(data) and not suffix_modality(data) and _no_table(data):
        examples = read_dataset(data, **asked)
    else:
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(
            f"{data} does not exist.{did_you_mean(path.name, beside)} "
            "Give a folder, a table, an npz or the id of a data set."
        )
    if len(examples) == 0:
        raise DataError(f"{data} holds no items.")
    return examples if labels == "as written" else with_task(examples, asked_task, required=labelled)


def _no_table(name: str) -> bool:
    return Path(name).suffix.lower() not in (*TABLE_SUFFIXES, ".npz")


def _is_item(name: str) -> bool:
    """Whether a file in a folder is an item: an image, a recording, or a text in a folder of its class."""
    kind = suffix_modality(name)
    return kind in ("image", "audio") or (kind == "text" and "/" in name)


def _read_folder(folder: Path, asked: dict[str, Any]) -> Examples:
    if is_saved_dataset(folder):
        return read_dataset(folder, **asked)
    files = list_files(folder)
    if not files:
        raise DataError(f"{folder} is empty: give one folder for each class, a metadata.csv or a table.")
    table = _metadata(folder, files)
    if table is not None:
        return read_metadata_folder(folder, table, **asked)
    media = [name for name in files if _is_item(name)]
    top = [name for name in files if "/" not in name and not _no_table(name)]
    if not media and len(top) == 1:
        return _read_file(folder / top[0], asked)
    if not media and len(top) > 1:
        return _read_part_tables(folder, top, asked)
    if media and len(top) == 1 and not top[0].endswith(".npz"):
        table = read_table(folder / top[0])
        if path_column(table.columns, folder) is not None:
            note = f"Labels are taken from {top[0]}, whose paths name the files."
            return read_metadata_folder(folder, replace(table, notes=(*table.notes, note)), **asked)
    only = {name.split("/", 1)[0] for name in media}
    given = {part_of(name) for name in only}
    if len(only) == 1 and "train" not in given and all(name.count("/") >= 2 for name in media):
        # an archive unpacked into a folder of its own: the data lie one level deeper
        return _read_folder(folder / only.pop(), asked)
    if asked["target"] is not None and asked["labelled"]:
        require_column(asked["target"], ["label"], f"{folder} (class folders)", "--target")
    for option in ("group", "domain"):
        if asked[option] is not None:
            where = f"{folder} (class folders, no metadata.csv)"
            require_column(asked[option], ["label"], where, f"--{option}")
    return read_class_folders(folder, files, asked["modality"], asked["labelled"])


def _metadata(folder: Path, files: list[str]) -> Table | None:
    """The metadata of a folder: metadata.csv (tsv, jsonl, parquet) in it, or one in each folder of a part."""
    name = r"metadata\.(csv|tsv|jsonl|parquet)"
    own = next((file for file in files if re.fullmatch(name, file)), None)
    if own is not None:
        return read_table(folder / own)
    inside = [file for file in files if re.fullmatch(f"[^/]+/{name}", file) and part_of(file.split("/")[0])]
    if not inside:
        return None
    tables = []
    for file in inside:
        table = read_table(folder / file)
        column = require_path_column(table)
        paths = string_array(f"{file.split('/')[0]}/{value}" for value in table.columns[column])
        tables.append(replace(table, columns={**table.columns, column: paths}))
    return _joined(folder / "metadata.csv", tables)


def _joined(path: Path, tables: list[Table]) -> Table:
    """Tables one after the other, with the columns that all of them have."""
    shared = [name for name in tables[0].columns if all(name in table.columns for table in tables)]
    columns = {name: np.concatenate([table.columns[name] for table in tables]) for name in shared}
    return Table(path, columns, tuple(note for table in tables for note in table.notes))


def _read_part_tables(folder: Path, names: list[str], asked: dict[str, Any]) -> Examples:
    """Tables named train.csv, test.csv and so on, one after the other."""
    parts = {name: part_of(Path(name).stem) for name in names}
    if not all(parts.values()) or "train" not in parts.values():
        raise DataError(
            f"{folder} holds {len(names)} tables ({', '.join(names[:4])}): pass one of them, or name "
            "them train.csv, val.csv and test.csv."
        )
    tables = [
        read_table(folder / name) for name in sorted(names, key=lambda name: (parts[name] != "train", name))
    ]
    table = _joined(folder / "tables", tables)
    parted = string_array(table.path.stem for table in tables for _ in range(table.n_rows))
    rows = string_array(f"{table.path.name} row {row + 1}" for table in tables for row in range(table.n_rows))
    table = replace(table, columns={**table.columns, "split": parted})
    return _from_table(table, folder, asked, rows, split_from="the files' names")


def _read_file(path: Path, asked: dict[str, Any]) -> Examples:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        for option in ("target", "group", "domain"):
            if asked[option] is not None:
                require_column(asked[option], ["label"], str(path), f"--{option}")
        return read_npz(path, asked["labelled"])
    if suffix in TABLE_SUFFIXES:
        table = read_table(path)
        return _from_table(table, path.parent, asked, row_names(table.n_rows))
    kind = suffix_modality(path)
    if not asked["labelled"] and kind in ("image", "audio"):
        return Examples(kind, [path], string_array([path.name]), root=path.parent)
    if not asked["labelled"] and kind == "text":
        lines = [line for line in read_text(path).splitlines() if line.strip()]
        return Examples(
            "text", lines, string_array(f"line {i + 1}" for i in range(len(lines))), root=path.parent
        )
    raise DataError(
        f"{path} is no table: give a folder, or a file that ends in "
        f"{', '.join(sorted(TABLE_SUFFIXES))} or .npz."
    )


def _from_table(
    table: Table, folder: Path, asked: dict[str, Any], names: np.ndarray, split_from: str | None = None
) -> Examples:
    """Texts of a table, or the files that its path column or its embedded bytes name."""
    blobs = table.blobs or {}
    column = path_column(table.columns, folder) if asked["modality"] != "text" else None
    if blobs:
        column = find_column(("image", "audio", "file", "bytes"), blobs) or next(iter(blobs))
        kind: Any = asked["modality"] or ("audio" if "audio" in column.casefold() else "image")
        items: list[Any] | Any = blobs[column]
        notes = table.notes
    elif column is not None:
        return read_metadata_folder(folder, table, **asked)
    else:
        where = str(table.path)
        label = target_column(table.columns, asked["target"], where, labelled=False)
        taken = [
            label,
            group_column(table.columns, asked["group"], label, where),
            find_column(["split"], table.columns),
        ]
        column, note = text_column(table.columns, where, taken)
        kind, items = "text", list(table.columns[column])
        notes = (*table.notes, *([note] if note else []))
    return examples_from_columns(
        table.columns,
        items,
        names,
        kind,
        where=str(table.path),
        item_column=column,
        target=asked["target"],
        group=asked["group"],
        domain=asked["domain"],
        labelled=asked["labelled"],
        split_from=split_from,
        root=folder,
        notes=notes,
    )
