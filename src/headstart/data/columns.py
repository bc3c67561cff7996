"""Which column is target, group, split, path or text; and `Examples` made from a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.examples import Examples, Modality, string_array
from headstart.data.given_split import given_split, part_of
from headstart.data.items import suffix_modality
from headstart.data.tables import Table
from headstart.errors import DataError, did_you_mean

TARGET_NAMES = ("label", "target", "class")
GROUP_NAMES = ("patient", "speaker", "group", "subject")
DOMAIN_NAMES = ("domain",)
PATH_NAMES = ("file", "file_name", "path", "image", "audio")
MORE_PATH_NAMES = (
    "filename",
    "file_path",
    "filepath",
    "image_path",
    "audio_path",
    "image_file",
    "audio_file",
)
TEXT_NAMES = (
    "text", "sentence", "review", "content", "document", "body", "comment", "question", "tweet", "message",
    "utterance", "headline", "title", "description",
)  # fmt: skip


def find_column(names: Sequence[str], columns: Iterable[str]) -> str | None:
    """The first of some names that is a column, upper and lower case alike."""
    by_fold = {column.casefold(): column for column in reversed(list(columns))}
    return next((by_fold[name] for name in names if name in by_fold), None)


def require_column(name: str, columns: Iterable[str], where: str, option: str) -> str:
    """A column the user named, or an error that lists the columns.

    Args:
        name: as given with the option.
        columns: what there is.
        where: the file, for the message.
        option: "--target", "--group" or "--domain".

    Raises:
        DataError: there is no such column.
    """
    listed = list(columns)
    found = find_column([name.casefold()], listed)
    if name in listed:
        return name
    if found is not None:
        return found
    raise DataError(
        f"{where} has no column '{name}' ({option}).{did_you_mean(name, listed)} Columns: "
        f"{', '.join(listed) or 'none'}."
    )


def path_column(columns: Mapping[str, np.ndarray], folder: Path) -> str | None:
    """The column of file paths: by its name, if its first file is there or at least is named like one.

    Args:
        columns: a table.
        folder: what relative paths start from.
    """
    for name in (*PATH_NAMES, *MORE_PATH_NAMES):
        found = find_column([name], columns)
        first = "" if found is None else next((value for value in columns[found] if value), "")
        if not first or len(first) >= 4096:
            continue
        named = suffix_modality(first) is not None and find_column(TEXT_NAMES, columns) is None
        if named or (folder / first).is_file():
            return found
    return None


def require_path_column(table: Table) -> str:
    """The column of file paths of a metadata table, by its name.

    Args:
        table: the metadata.

    Raises:
        DataError: there is no such column.
    """
    column = find_column((*PATH_NAMES, *MORE_PATH_NAMES), table.columns)
    if column is None:
        raise DataError(
            f"{table.path} has no column of paths: name it {', '.join(PATH_NAMES[:3])}, image or audio. "
            f"Columns: {', '.join(table.columns)}."
        )
    return column


def text_column(
    columns: Mapping[str, np.ndarray], where: str, taken: Iterable[str | None]
) -> tuple[str, str]:
    """The column of texts: by name, else the only long one.

    Args:
        columns: a table.
        where: the file, for messages.
        taken: columns that are something else (target, group, split).

    Returns:
        The column, and a sentence that says so where it was guessed ("" for a column named text).

    Raises:
        DataError: no column, or more than one, looks like text.
    """
    free = {name: values for name, values in columns.items() if name not in set(taken)}
    named = find_column(TEXT_NAMES, free)
    if named is not None:
        return (
            named,
            "" if named.casefold() == "text" else f"Texts are taken from column '{named}' of {where}.",
        )
    lengths = {name: float(np.mean([len(value) for value in values[:1000]])) for name, values in free.items()}
    distinct = {name: len(set(values[:1000])) / min(len(values), 1000) for name, values in free.items()}
    long = [name for name in free if lengths[name] >= 20 and distinct[name] >= 0.5]
    if len(long) == 1:
        return long[0], f"Texts are taken from column '{long[0]}' of {where}, its only column of long text."
    found = (
        f"columns {', '.join(long)} could be it"
        if long
        else f"none looks like text among {', '.join(columns)}"
    )
    raise DataError(f"{where}: which column holds the texts? {found}. Name it 'text'.")


def target_column(columns: Iterable[str], target: str | None, where: str, labelled: bool) -> str | None:
    """The target's column: as given, else label, target or class.

    Raises:
        DataError: a given column is missing, or none was found while labels are needed.
    """
    listed = list(columns)
    if target is not None:
        return require_column(target, listed, where, "--target")
    found = find_column(TARGET_NAMES, listed)
    if found is None and labelled:
        raise DataError(
            f"{where} has no column label, target or class: say which one to learn with --target. "
            f"Columns: {', '.join(listed)}."
        )
    return found


def group_column(columns: Iterable[str], group: str | None, target: str | None, where: str) -> str | None:
    """The group's column: as given, else patient, speaker, group or subject unless that is the target.

    Raises:
        DataError: a given column is missing, or is the target itself.
    """
    listed = list(columns)
    if group is None:
        return find_column(GROUP_NAMES, [name for name in listed if name != target])
    found = require_column(group, listed, where, "--group")
    if found == target:
        raise DataError(
            f"'{found}' is both target and group: a held-out {found} could never be learned. Give "
            "another --group."
        )
    return found


def domain_column(
    columns: Iterable[str], domain: str | None, taken: Iterable[str | None], where: str
) -> str | None:
    """The domain's column: as given, else a column `domain` that is neither target nor group.

    Args:
        columns: of the table.
        domain: as given with --domain, or None.
        taken: the columns of the target and the group.
        where: the file, for messages.

    Raises:
        DataError: a given column is missing, or is the target.
    """
    listed, (target, group) = list(columns), taken
    if domain is None:
        return find_column(DOMAIN_NAMES, [name for name in listed if name not in (target, group)])
    found = require_column(domain, listed, where, "--domain")
    if found == target:
        raise DataError(f"'{found}' is both target and domain. Give another --domain or --target.")
    return found


def examples_from_columns(
    columns: Mapping[str, np.ndarray],
    items: Sequence[Any],
    names: np.ndarray,
    modality: Modality,
    *,
    where: str,
    item_column: str | None,
    target: str | None,
    group: str | None,
    domain: str | None,
    labelled: bool,
    fallback_labels: np.ndarray | None = None,
    fallback_parts: np.ndarray | None = None,
    split_from: str | None = None,
    root: Path | None = None,
    notes: Iterable[str] = (),
) -> Examples:
    """Sort a table's columns into labels, groups, split and the rest.

    Args:
        columns: name to (n_items,) strings.
        items: the items of the rows.
        names: (n_items,) how they are called.
        modality: of the items.
        where: the file, for messages.
        item_column: the column the items came from, not kept among the others.
        target: as given by the user, or None.
        group: as given by the user, or None.
        domain: as given by the user, or None.
        labelled: labels are needed.
        fallback_labels: folder names, taken where no column is the target.
        fallback_parts: folder names of parts, taken where there is no split column.
        split_from: what the column `split` was made from, where the table had none.
        root: the folder.
        notes: sentences so far.

    Raises:
        DataError: columns are missing, or the split's values are unknown.
    """
    rest = [name for name in columns if name != item_column]
    lenient = labelled and fallback_labels is None
    label_name = target_column(rest, target, where, lenient)
    labels = fallback_labels if label_name is None else columns[label_name]
    group_name = group_column(rest, group, label_name, where)
    domain_name = domain_column(rest, domain, (label_name, group_name), where)
    split_name = find_column(["split"], rest)
    says = split_from or f"column '{split_name}'"
    splits, origin = _split(columns, split_name, says, fallback_parts, names, where, labelled)
    used = {item_column, label_name, group_name, domain_name, split_name if splits is not None else None}
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
    )


def _split(
    columns: Mapping[str, np.ndarray],
    split_name: str | None,
    says: str,
    fallback_parts: np.ndarray | None,
    names: np.ndarray,
    where: str,
    labelled: bool,
) -> tuple[np.ndarray | None, str]:
    if split_name is None:
        return (None, "") if fallback_parts is None else given_split(fallback_parts, "the folders")
    values = columns[split_name]
    unknown = np.flatnonzero([part_of(value) is None for value in values])
    if not labelled and (len(unknown) or "train" not in {part_of(value) for value in values}):
        return None, ""
    if len(unknown):
        row = int(unknown[0])
        raise DataError(
            f"{where}, {names[row]}: split '{values[row]}' is none of train, val, validation, dev, test"
            f"{f' ({len(unknown):,} rows)' if len(unknown) > 1 else ''}."
            f"{did_you_mean(values[row], ['train', 'validation', 'test', 'dev', 'val'])}"
        )
    return given_split(values, says)


def row_names(n_rows: int) -> np.ndarray:
    """(n_rows,) names "row 1", "row 2", ... of data rows, the header not counted."""
    return string_array(f"row {row + 1}" for row in range(n_rows))
