"""`Examples` made from the rows of a table: texts, files that it names, or files inside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.columns import (
    domain_column,
    find_column,
    group_column,
    path_column,
    require_column,
    require_path_column,
    target_column,
    text_items,
)
from headstart.data.examples import Examples, Modality, string_array
from headstart.data.given_split import are_parts, given_split, part_of
from headstart.data.items import ItemView, suffix_modality
from headstart.data.listing import Border
from headstart.data.media_files import media_files
from headstart.data.place import ReadOptions
from headstart.data.table_files import Embedded, require_files
from headstart.data.tables import Table, read_text
from headstart.data.weights import weights_from
from headstart.errors import DataError, did_you_mean


def examples_from_table(
    table: Table, folder: Path, options: ReadOptions, names: np.ndarray, split_from: str | None = None
) -> Examples:
    """The texts of a table, or the files that its path column or its embedded bytes name.

    Args:
        table: as read.
        folder: what relative paths start from.
        options: what the user asked for.
        names: (n_rows,) how the rows are called in messages.
        split_from: what the column `split` was made from, if the table had none.

    Raises:
        DataError: a column or files are missing.
    """
    blobs = table.blobs or {}
    used: tuple[str, ...]
    is_text = options.modality == "text" or bool(options.text)
    column = None if is_text else path_column(table.columns, folder)
    if blobs:
        column = find_column(("image", "audio", "file", "bytes"), blobs) or next(iter(blobs))
        kind: Any = options.modality or ("audio" if "audio" in column.casefold() else "image")
        border = Border([folder], options.follow_outside)
        items: list[Any] | Any = ItemView([blobs[column]], wrap=Embedded(folder, border))
        notes, used = table.notes, (column,)
    elif column is not None:
        return examples_from_paths(table, folder, options, alone=True)
    else:
        where = str(table.path)
        label = target_column(table.columns, options.target, where, labelled=False)
        group = group_column(table.columns, options.group, label, where)
        domain = domain_column(table.columns, options.domain, (label, group), where)
        taken = [label, group, options.domain and domain, find_column(["split"], table.columns)]
        items, used, note = text_items(table.columns, options.text, where, taken, spare=domain)
        kind = "text"
        notes = (*table.notes, *([note] if note else []))
    return examples_from_columns(
        table.columns,
        items,
        names,
        kind,
        options,
        where=str(table.path),
        item_columns=used,
        split_from=split_from,
        root=folder,
        notes=notes,
    )


def examples_from_paths(table: Table, folder: Path, options: ReadOptions, *, alone: bool = False) -> Examples:
    """The files that a table's path column names; its columns override folder names.

    Args:
        table: with a column of paths.
        folder: what relative paths start from.
        options: what the user asked for.
        alone: whether the table itself was given as data: a column that may be the target is then asked about.

    Raises:
        DataError: there is no path column, or files are missing.
    """
    column = require_path_column(table)
    values = table.columns[column]
    paths = [folder / value.replace("\\", "/") for value in values]
    require_files(table.path, values, paths, Border([folder], options.follow_outside))
    names = string_array(value.replace("\\", "/") for value in values)
    kind, kept, notes = media_files(folder, names, options.modality)
    if len(kept) < len(names):
        keep = np.isin(
            np.arange(len(names)), [i for i, name in enumerate(names) if suffix_modality(name) == kind]
        )
        names, paths = names[keep], [path for path, good in zip(paths, keep) if good]
        table = Table(table.path, {key: array[keep] for key, array in table.columns.items()}, table.notes)
    if kind == "text":
        paths = [read_text(path) for path in paths]
    parts, labels = _from_folders(names)
    if alone and _may_hold_target(table, column, options):
        labels = None
    if options.target is not None:
        require_column(options.target, table.columns, str(table.path), "--target")
    return examples_from_columns(
        table.columns,
        paths,
        names,
        kind,
        options,
        where=str(table.path),
        item_columns=(column,),
        fallback_labels=labels,
        fallback_parts=parts,
        root=folder,
        notes=(*table.notes, *notes),
    )


def _may_hold_target(table: Table, column: str, options: ReadOptions) -> bool:
    """Whether a column beside paths, group, domain and split may be the target, so that folders are not learned."""
    rest = [name for name in table.columns if name != column]
    group = group_column(rest, options.group, None, str(table.path))
    domain = domain_column(rest, options.domain, (None, group), str(table.path))
    return bool(set(rest) - {group, domain, find_column(["split"], rest)})


def _from_folders(names: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The parts and labels that folder names give: (parts or None, labels or None)."""
    pieces = [name.split("/") for name in names]
    tops = [piece[0] if len(piece) > 1 else "" for piece in pieces]
    parted = are_parts(tops)
    parents = string_array(piece[-2] if len(piece) > (2 if parted else 1) else "" for piece in pieces)
    useful = len(set(parents)) > 1 and all(parents)
    return string_array(tops) if parted else None, parents if useful else None


def examples_from_columns(
    columns: Mapping[str, np.ndarray],
    items: Sequence[Any],
    names: np.ndarray,
    modality: Modality,
    options: ReadOptions,
    *,
    where: str,
    item_columns: Sequence[str],
    fallback_labels: np.ndarray | None = None,
    fallback_parts: np.ndarray | None = None,
    split_from: str | None = None,
    root: Path | None = None,
    notes: Iterable[str] = (),
) -> Examples:
    """Sort a table's columns into labels, groups, domains, split and the rest.

    Args:
        columns: name to (n_items,) strings.
        items: the items of the rows.
        names: (n_items,) how they are called.
        modality: of the items.
        options: what the user asked for.
        where: the file, for messages.
        item_columns: the columns the items came from, not kept among the others.
        fallback_labels: folder names, used if no column is the target.
        fallback_parts: folder names of parts, used if there is no split column.
        split_from: what the column `split` was made from, if the table had none.
        root: the folder.
        notes: sentences so far.

    Raises:
        DataError: columns are missing, or the split's values are unknown.
    """
    rest = [name for name in columns if name not in item_columns]
    required = options.labels_required
    label_name = target_column(rest, options.target, where, required and fallback_labels is None)
    labels = fallback_labels if label_name is None else columns[label_name]
    group_name = group_column(rest, options.group, label_name, where)
    if options.group is not None and group_name is not None:
        _refuse_empty(columns[group_name], group_name, names, where)
    domain_name = domain_column(rest, options.domain, (label_name, group_name), where)
    split_name = find_column(["split"], rest)
    says = split_from or f"column '{split_name}'"
    splits, origin = _split(columns, split_name, says, fallback_parts, names, where, required)
    weight_name, weights = weights_from(
        columns, options.weight, (label_name, group_name, *item_columns), names, where
    )
    used = {*item_columns, label_name, group_name, domain_name, weight_name}
    used |= {split_name if splits is not None else None}
    return Examples(
        modality=modality,
        items=items,
        names=names,
        labels=labels,
        groups=None if group_name is None else columns[group_name],
        domains=None if domain_name is None else columns[domain_name],
        splits=splits,
        columns={name: values for name, values in columns.items() if name not in used},
        target=label_name or "label",
        group=group_name,
        domain=domain_name,
        root=root,
        split_origin=origin,
        notes=tuple(notes),
        where=where,
        text_columns=tuple(item_columns) if modality == "text" else (),
        weights=weights,
        weight=weight_name,
    )


def _refuse_empty(groups: np.ndarray, column: str, names: np.ndarray, where: str) -> None:
    """Refuse items without a group, if groups were asked for."""
    empty = names[[not group.strip() for group in groups]]
    if len(empty):
        shown = ", ".join(str(name) for name in empty[:5]) + (", ..." if len(empty) > 5 else "")
        raise DataError(
            f"{where}: column '{column}' (--group) is empty for {len(empty):,} of {len(groups):,} items ({shown}), so "
            f"that a {column} may lie on both sides of the split. Fill in the column or remove these rows."
        )


def _split(
    columns: Mapping[str, np.ndarray],
    split_name: str | None,
    says: str,
    fallback_parts: np.ndarray | None,
    names: np.ndarray,
    where: str,
    required: bool,
) -> tuple[np.ndarray | None, str]:
    if split_name is None:
        return (None, "") if fallback_parts is None else given_split(fallback_parts, "the folders")
    values = columns[split_name]
    unknown = np.flatnonzero([part_of(value) is None for value in values])
    if not required and (len(unknown) or "train" not in {part_of(value) for value in values}):
        return None, ""
    if len(unknown):
        row = int(unknown[0])
        raise DataError(
            f"{where}, {names[row]}: split '{values[row]}' is not one of train, val, validation, dev, test"
            f"{f' ({len(unknown):,} rows)' if len(unknown) > 1 else ''}."
            f"{did_you_mean(values[row], ['train', 'validation', 'test', 'dev', 'val'])}"
        )
    return given_split(values, says)
