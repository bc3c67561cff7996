"""The images, recordings or texts among the files of a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from headstart.data.examples import Modality
from headstart.data.items import suffix_modality
from headstart.data.tables import read_text
from headstart.errors import DataError
from headstart.units import UNITS, counted


def media_files(
    folder: Path, files: Iterable[str], modality: Modality | None, loose_texts: bool = True
) -> tuple[Modality, list[str], tuple[str, ...]]:
    """The files of one modality in a folder.

    Args:
        folder: for messages.
        files: relative paths.
        modality: as given by the user, or None for the modality of nearly all files.
        loose_texts: count text files that lie in no folder of a class.

    Returns:
        The modality, its files, and sentences on what was left out.

    Raises:
        DataError: no file fits, or images and recordings are mixed.
    """
    kinds: dict[Modality, list[str]] = {}
    others: list[str] = []
    for name in files:
        kind = suffix_modality(name)
        if kind is None or (kind == "text" and "/" not in name and not loose_texts):
            others.append(name)
        else:
            kinds.setdefault(kind, []).append(name)
    if not kinds or (modality is not None and modality not in kinds):
        wanted = "images, recordings or texts" if modality is None else UNITS[modality]
        expected = "expected one folder for each class, train/ and test/ folders of them, or a metadata.csv"
        if kinds:
            expected = f"give data that holds {wanted}"
        raise DataError(f"{folder} holds no {wanted}: {expected}. It holds {_what(others, kinds)}.")
    chosen = (
        modality if modality is not None else max(kinds, key=lambda kind: (kind != "text", len(kinds[kind])))
    )
    rest = sum(len(names) for kind, names in kinds.items() if kind not in (chosen, "text"))
    if modality is None and rest > 0.1 * len(kinds[chosen]):
        raise DataError(
            f"{folder} holds {counted(len(kinds.get('image', [])), 'images')} and "
            f"{counted(len(kinds.get('audio', [])), 'recordings')}: say which to learn from with --modality."
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


def file_items(folder: Path, names: Iterable[str], modality: Modality) -> list[Any]:
    """The items of some files: their paths, or for texts their content.

    Args:
        folder: what the names start from.
        names: relative paths.
        modality: of the items.
    """
    paths = [folder / name for name in names]
    return [read_text(path) for path in paths] if modality == "text" else paths


def storable(name: str) -> str:
    r"""A file name with \xNN for bytes that are not UTF-8: it can be stored, and stays different from all others."""
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
