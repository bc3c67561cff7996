"""Read folders: class folders with or without parts, a folder with a metadata table, or bare files.

FOLDER/CLASS/file            FOLDER/train|val|test/CLASS/file            FOLDER/metadata.csv + files anywhere
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.columns import (
    examples_from_columns,
    require_column,
    require_path_column,
)
from headstart.data.examples import Examples, Modality, string_array
from headstart.data.given_split import given_split, part_of
from headstart.data.items import suffix_modality
from headstart.data.tables import Table, read_text
from headstart.errors import DataError
from headstart.units import UNITS, counted


def list_files(folder: Path) -> list[str]:
    """All files below a folder as relative POSIX paths, sorted; hidden ones and `__MACOSX` left out.

    Args:
        folder: links to folders are followed, each real folder once.
    """
    found: list[str] = []
    seen: set[str] = set()
    for current, subfolders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(current)
        if real in seen:
            subfolders[:] = []
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith(".") and name != "__MACOSX")
        relative = os.path.relpath(current, folder)
        prefix = "" if relative == "." else relative.replace(os.sep, "/") + "/"
        found += [prefix + name for name in files if not name.startswith(".")]
    return sorted(found)


def printable(name: str) -> str:
    """A file name with a mark in place of bytes that are no UTF-8, so that it can be printed and stored."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def media_files(
    folder: Path, files: Iterable[str], modality: Modality | None, labelled: bool = True
) -> tuple[Modality, list[str], tuple[str, ...]]:
    """The files of one modality in a folder.

    Args:
        folder: for messages.
        files: relative paths.
        modality: as asked for, or None to take what nearly all files are.
        labelled: text files count only where they lie in class folders.

    Returns:
        The modality, its files, and sentences on what was left out.

    Raises:
        DataError: there is nothing, or images and recordings are mixed.
    """
    kinds: dict[Modality, list[str]] = {}
    others: list[str] = []
    for name in files:
        kind = suffix_modality(name)
        if kind is None or (kind == "text" and "/" not in name and labelled):
            others.append(name)
        else:
            kinds.setdefault(kind, []).append(name)
    if not kinds or (modality is not None and modality not in kinds):
        wanted = "images, recordings or texts" if modality is None else UNITS[modality]
        raise DataError(
            f"{folder} holds no {wanted}: expected one folder for each class, train/ and test/ "
            f"folders of them, or a metadata.csv. It holds {_what(others, kinds)}."
        )
    chosen = (
        modality if modality is not None else max(kinds, key=lambda kind: (kind != "text", len(kinds[kind])))
    )
    rest = sum(len(names) for kind, names in kinds.items() if kind not in (chosen, "text"))
    if modality is None and rest > 0.1 * len(kinds[chosen]):
        raise DataError(
            f"{folder} holds {len(kinds.get('image', [])):,} images and {len(kinds.get('audio', [])):,} "
            "recordings: say which to learn from with --modality."
        )
    n_left = len(others) + sum(len(names) for kind, names in kinds.items() if kind != chosen)
    left = [f"Left out of {folder.name}: {counted(n_left, 'files')} of other kinds."] if n_left else []
    return chosen, kinds[chosen], tuple(left)


def _what(others: Sequence[str], kinds: dict[Modality, list[str]]) -> str:
    suffixes = Counter(Path(name).suffix or "no suffix" for name in others)
    suffixes.update({f"{kind} files": len(names) for kind, names in kinds.items()})
    if not suffixes:
        return "no files"
    return ", ".join(f"{count:,} x {suffix}" for suffix, count in suffixes.most_common(4))


def read_class_folders(folder: Path, files: list[str], modality: Modality | None, labelled: bool) -> Examples:
    """Items of class folders, with or without train, val and test folders above them.

    Args:
        folder: the root.
        files: its files, relative.
        modality: as asked for, or None.
        labelled: the folders must be classes; else bare files are fine.

    Raises:
        DataError: no class folders, one class, files beside class folders, or two levels of the same names.
    """
    kind, names, notes = media_files(folder, files, modality, labelled)
    tops = {name.split("/", 1)[0] for name in names if "/" in name}
    parted = _are_parts(tops)
    skip = 1 if parted else 0
    splits, origin = None, ""
    if parted:
        names = [name for name in names if "/" in name]
        splits, origin = given_split(string_array(name.split("/", 1)[0] for name in names), "the folders")
    loose = [name for name in names if name.count("/") <= skip]
    labels: np.ndarray | None = None
    if loose and labelled:
        raise DataError(
            f"{folder}: {len(loose):,} files lie in no class folder ({loose[0]}). Put each into the folder "
            "of its class, or write a metadata.csv with the columns file,label."
        )
    if not loose:
        tails = [name.split("/")[skip:] for name in names]
        if labelled:
            _refuse_two_levels(folder, tails)
        labels = string_array(printable(tail[0]) for tail in tails)
    named = string_array(printable(name) for name in names)
    return Examples(
        modality=kind,
        items=file_items(folder, names, kind),
        names=named,
        labels=labels,
        splits=splits,
        root=folder,
        split_origin=origin,
        notes=notes,
        where=str(folder),
    )


def _are_parts(tops: Iterable[str]) -> bool:
    """Whether folders are the parts of a split: each of them one, train among them."""
    parts = {part_of(top) for top in tops}
    return "train" in parts and None not in parts


def file_items(folder: Path, names: Iterable[str], modality: Modality) -> list[Any]:
    """The items of some files: their paths, or for texts what they hold."""
    paths = [folder / name for name in names]
    return [read_text(path) for path in paths] if modality == "text" else paths


def _refuse_two_levels(folder: Path, tails: list[list[str]]) -> None:
    """Ask about two levels with the same names below: domains of classes, or patients of classes."""
    below: dict[str, set[str]] = defaultdict(set)
    for tail in tails:
        if len(tail) > 2:
            below[tail[0]].add(tail[1])
    if len(below) < 2:
        return
    counts = Counter(name for names in below.values() for name in names)
    shared = sorted(name for name, count in counts.items() if count >= 2)
    if len(shared) < 2:
        return
    uppers = sorted(below)
    raise DataError(
        f"{folder} has two levels of folders with the same names below ({_few(uppers)}, each with "
        f"{_few(shared)}): the upper ones look like domains. Pass one of them ({folder / uppers[0]}), or "
        f"write {folder / 'metadata.csv'} with the columns file,label,domain to learn from all."
    )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def read_metadata_folder(
    folder: Path,
    table: Table,
    *,
    target: str | None,
    group: str | None,
    domain: str | None,
    modality: Modality | None,
    labelled: bool,
) -> Examples:
    """Items of a table with a path column; its columns win over folder names.

    Args:
        folder: what relative paths start from.
        table: the metadata.
        target: the target's column, as given or None.
        group: the group's column, as given or None.
        domain: the domain's column, as given or None.
        modality: as asked for, or None.
        labelled: labels are needed.

    Raises:
        DataError: no path column, or files that are not there.
    """
    column = require_path_column(table)
    values = table.columns[column]
    paths = [folder / value.replace("\\", "/") for value in values]
    _require_files(table.path, folder, values, _existing(paths))
    names = string_array(value.replace("\\", "/") for value in values)
    kind, kept, notes = media_files(folder, names, modality, labelled=False)
    if len(kept) < len(names):
        keep = np.isin(
            np.arange(len(names)), [i for i, name in enumerate(names) if suffix_modality(name) == kind]
        )
        names, paths = names[keep], [path for path, good in zip(paths, keep) if good]
        table = Table(table.path, {key: array[keep] for key, array in table.columns.items()}, table.notes)
    if kind == "text":
        paths = [read_text(path) for path in paths]
    parts, labels = _from_folders(names)
    if target is not None:
        target = require_column(target, table.columns, str(table.path), "--target")
    return examples_from_columns(
        table.columns,
        paths,
        names,
        kind,
        where=str(table.path),
        item_column=column,
        target=target,
        group=group,
        domain=domain,
        labelled=labelled,
        fallback_labels=labels,
        fallback_parts=parts,
        root=folder,
        notes=(*table.notes, *notes),
    )


def _existing(paths: Sequence[Path]) -> list[bool]:
    """Whether each path is a file, by listing each folder once: a look-up a file is slow on network disks."""
    listed: dict[Path, set[str]] = {}
    found = []
    for path in paths:
        if path.parent not in listed:
            try:
                listed[path.parent] = {entry.name for entry in os.scandir(path.parent) if not entry.is_dir()}
            except OSError:
                listed[path.parent] = set()
        found.append(path.name in listed[path.parent])
    return found


def _require_files(table_path: Path, folder: Path, values: np.ndarray, found: list[bool]) -> None:
    missing = [(row + 1, values[row]) for row, there in enumerate(found) if not there]
    if missing:
        shown = ", ".join(f"row {row} '{value}'" for row, value in missing[:3])
        raise DataError(
            f"{table_path}: {len(missing):,} of {len(found):,} files are not there ({shown}"
            f"{', ...' if len(missing) > 3 else ''}). Paths start from {folder}."
        )


def _from_folders(names: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The parts and labels that folder names give: (parts or None, labels or None)."""
    pieces = [name.split("/") for name in names]
    tops = [piece[0] if len(piece) > 1 else "" for piece in pieces]
    parted = _are_parts(tops)
    parents = string_array(piece[-2] if len(piece) > (2 if parted else 1) else "" for piece in pieces)
    useful = len(set(parents)) > 1 and all(parents)
    return string_array(tops) if parted else None, parents if useful else None
