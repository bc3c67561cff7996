"""Which column of a table is the target, the group, the domain, the paths or the texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from headstart.data.examples import string_array
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


class MissingColumn(DataError):
    """A column that was named is not in the data.

    Attributes:
        option: that named it: "target", "group", "domain" or "text".
    """

    def __init__(self, message: str, option: str) -> None:
        super().__init__(message)
        self.option = option


def find_column(names: Sequence[str], columns: Iterable[str]) -> str | None:
    """The first of some names that is a column, ignoring case."""
    by_fold = {column.casefold(): column for column in reversed(list(columns))}
    return next((by_fold[name] for name in names if name in by_fold), None)


def require_column(name: str, columns: Iterable[str], where: str, option: str) -> str:
    """A column the user named, or an error that lists the columns.

    Args:
        name: as given with the option.
        columns: of the table.
        where: the file, for the message.
        option: "--target", "--group" or "--domain".

    Raises:
        MissingColumn: there is no such column.
    """
    listed = list(columns)
    found = find_column([name.casefold()], listed)
    if name in listed:
        return name
    if found is not None:
        return found
    raise MissingColumn(
        f"{where} has no column '{name}' ({option}).{did_you_mean(name, listed)} Columns: "
        f"{', '.join(listed) or 'none'}.",
        option.removeprefix("--"),
    )


def path_column(columns: Mapping[str, np.ndarray], folder: Path) -> str | None:
    """The column of file paths: by its name, if its first file exists, or most at least look like file names.

    Args:
        columns: a table.
        folder: what relative paths start from.
    """
    for name in (*PATH_NAMES, *MORE_PATH_NAMES):
        found = find_column([name], columns)
        values = [] if found is None else [value for value in columns[found][:1000] if value]
        if not values or len(values[0]) >= 4096:
            continue
        n_named = sum(suffix_modality(value) is not None for value in values)
        named = 2 * n_named > len(values) and find_column(TEXT_NAMES, columns) is None
        if named or os.path.isfile(folder / values[0]):
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


def text_items(
    columns: Mapping[str, np.ndarray],
    asked: Sequence[str],
    where: str,
    taken: Iterable[str | None],
    spare: str | None = None,
) -> tuple[list[str], tuple[str, ...], str]:
    """The text of each row: of one column, or of several, a line each; an empty cell gives no line.

    Args:
        columns: a table.
        asked: the columns that the user named, or one text that joins them by commas; (): found by `text_column`.
        where: the file, for messages.
        taken: columns that are something else (target, group, split).
        spare: see `text_column`.

    Returns:
        The texts, the columns that they came from, and a sentence that says so if they were not named ("" for a column
        named text).

    Raises:
        DataError: a column is missing, is something else, or none was found.
    """
    if not asked:
        column, note = text_column(columns, where, taken, spare)
        return list(columns[column]), (column,), note
    if len(asked) == 1 and asked[0] not in columns:
        asked = [name.strip() for name in asked[0].split(",") if name.strip()]
    named = tuple(dict.fromkeys(require_column(name, columns, where, "--text") for name in asked))
    clash = next((name for name in named if name in set(taken)), None)
    if clash is not None:
        raise DataError(
            f"{where}: column '{clash}' (--text) is the target or the group too. Name another one."
        )
    if len(named) == 1:
        return list(columns[named[0]]), named, ""
    rows = zip(*(columns[name] for name in named), strict=True)
    return ["\n".join(cell for cell in row if cell.strip()) for row in rows], named, ""


def text_column(
    columns: Mapping[str, np.ndarray], where: str, taken: Iterable[str | None], spare: str | None = None
) -> tuple[str, str]:
    """The column of texts: by name, else the only long one.

    Args:
        columns: a table.
        where: the file, for messages.
        taken: columns that are something else (target, group, split).
        spare: a column that is something else by its name alone: the texts only if no other column looks like it.

    Returns:
        The column, and a sentence that says so if it was guessed ("" for a column named text).

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
    if len(long) > 1 and spare in long:
        long.remove(spare)
    if len(long) == 1:
        return long[0], f"Texts are taken from column '{long[0]}' of {where}, its only column of long text."
    found = (
        f"columns {', '.join(long)} could be it"
        if long
        else f"none looks like text among {', '.join(columns)}"
    )
    raise DataError(f"{where}: which column holds the texts? {found}. Name it with --text.")


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
            f"{where} has no column label, target or class: name the one to learn with --target. "
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


def row_names(n_rows: int) -> np.ndarray:
    """(n_rows,) names "row 1", "row 2", ... of data rows, the header not counted."""
    return string_array(f"row {row + 1}" for row in range(n_rows))
