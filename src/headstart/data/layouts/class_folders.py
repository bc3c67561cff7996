"""Class folders: CLASS/file, with folders of parts (train, val, test) or of domains above them.

CLASS/file            train|val|test/CLASS/file            DOMAIN/CLASS/file            bare files, without labels
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.data.columns import require_column
from headstart.data.examples import Examples, Modality, string_array
from headstart.data.given_split import are_parts, given_split
from headstart.data.media_files import file_items, media_files, storable
from headstart.data.place import Place, ReadOptions
from headstart.errors import DataError
from headstart.units import UNITS, agreeing, counted

DESCRIPTION = "a folder of class folders"


def matches(place: Place) -> bool:
    """Whether there is a folder whose data lies in it, not in one folder or table inside it."""
    return place.is_folder and place.inside is None


def read(place: Place, options: ReadOptions) -> Examples:
    """The files of the class folders; also files outside of class folders if labels are optional.

    Raises:
        DataError: there are no class folders, or files lie outside of them.
    """
    folder = place.path
    if not place.files:
        wanted = (
            "one folder for each class" if options.labels_required else "items (class folders are not needed)"
        )
        raise DataError(f"{folder} is empty: give {wanted}, a metadata.csv or a table.")
    loose_texts = not options.labels_required
    kind, names, notes = media_files(folder, place.files, options.modality, loose_texts)
    parted = are_parts(name.split("/", 1)[0] for name in names if "/" in name)
    splits, origin = None, ""
    if parted:
        names = [name for name in names if "/" in name]
        splits, origin = given_split(string_array(name.split("/", 1)[0] for name in names), "the folders")
    said = options.domain is not None or options.group is not None or options.target == "domain"
    levels = _levels(folder, names, 1 if parted else 0, decided=said or not options.labels_required)
    target, group, domain = _named_columns(folder, levels, options)
    _refuse_loose_files(folder, names, levels, options)
    by_column = {"label": levels.classes, "domain": levels.domains}
    labels = by_column[target]
    return Examples(
        modality=kind,
        items=file_items(folder, names, kind),
        names=string_array(storable(name) for name in names),
        labels=None if labels is None or not any(labels) else labels,
        groups=None if group is None else by_column[group],
        domains=None if domain is None else by_column[domain],
        splits=splits,
        target=target,
        group=group,
        domain=domain,
        root=folder,
        split_origin=origin,
        notes=(
            *notes,
            *place.listing.notes,
            *levels.notes,
            *_not_utf8(folder, names),
            *_without_items(place.listing.folders, levels, 1 if parted else 0, kind),
        ),
        where=str(folder),
    )


def _not_utf8(folder: Path, names: Sequence[str]) -> list[str]:
    """A sentence on names that are not UTF-8.

    Raises:
        DataError: a folder or file would have the name of another one.
    """
    odd = [name for name in names if storable(name) != name]
    taken = set(names).intersection(storable(name) for name in odd)
    if taken:
        raise DataError(
            f"{folder}: two files would be called {min(taken)}. Rename one, or its folder, in UTF-8."
        )
    if not odd:
        return []
    return [
        f"{counted(len(odd), 'files')} whose path is not UTF-8, such as {storable(odd[0])}: the bytes are "
        "written as \\xNN, also in the names of classes."
    ]


def _without_items(folders: Sequence[str], levels: _Levels, skip: int, kind: Modality) -> list[str]:
    """A sentence on folders of classes, one level deep, in which no item was found."""
    if levels.domains is not None:
        return []
    named = {
        storable(pieces[skip]) for pieces in (name.split("/") for name in folders) if len(pieces) == skip + 1
    }
    empty = sorted(named - set(levels.classes))
    if not empty:
        return []
    which = f"{agreeing(len(empty), 'folder', 'folders')} {_few(empty)}"
    return [f"No {UNITS[kind]} in the {which}: not learned as a class."]


@dataclass(frozen=True)
class _Levels:
    """What the folders above each file mean.

    Attributes:
        classes: (N,) name of the class, "" for a file in no class folder.
        domains: (N,) name of the domain; None if there is one level of folders.
        notes: sentences on how the folders were read.
    """

    classes: np.ndarray
    domains: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def _levels(folder: Path, names: Sequence[str], skip: int, *, decided: bool) -> _Levels:
    """Classes and, if the same class folders lie in several upper folders, domains.

    Args:
        folder: for messages.
        names: N relative paths.
        skip: levels above, which hold parts.
        decided: the user said what the upper folders are.

    Raises:
        DataError: they could be domains, groups or classes, and the user did not say which.
    """
    tails = [[storable(piece) for piece in name.split("/")[skip:]] for name in names]
    shared, uppers = _shared_names(tails)
    if len(shared) < 2:
        return _Levels(string_array(tail[0] if len(tail) > 1 else "" for tail in tails))
    if are_parts(shared):
        raise DataError(
            f"{folder} has the folders {_few(shared)} inside each of {_few(uppers)}: put the folders of the "
            "parts above those of the classes, such as train/CLASS/file."
        )
    classes = sorted({tail[1] for tail in tails if len(tail) > 2})
    if not decided:
        raise DataError(
            f"{folder} has two levels of folders with the same names below ({_few(uppers)}, each with "
            f"{_few(classes)}). If the upper folders are domains, pass --domain domain. If they are patients or "
            "speakers, pass --group domain, so that none of them is on both sides of the split. If they are the "
            "classes, pass --target domain."
        )
    note = f"Folders are read as DOMAIN/CLASS: domains {_few(uppers)}; classes {_few(classes)}."
    return _Levels(
        string_array(tail[1] if len(tail) > 2 else "" for tail in tails),
        string_array(tail[0] if len(tail) > 1 else "" for tail in tails),
        (note,),
    )


def _shared_names(tails: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
    """Names of second-level folders that lie in two or more first-level folders; those first-level folders."""
    below: dict[str, set[str]] = defaultdict(set)
    for tail in tails:
        if len(tail) > 2:
            below[tail[0]].add(tail[1])
    counts = Counter(name for names in below.values() for name in names)
    return sorted(name for name, count in counts.items() if count >= 2), sorted(below)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def _named_columns(folder: Path, levels: _Levels, options: ReadOptions) -> tuple[str, str | None, str | None]:
    """The levels that are target, group and domain.

    Raises:
        DataError: an option names a column, and there is no such level.
    """
    columns = ["label"] if levels.domains is None else ["label", "domain"]
    asked = {"target": options.target, "group": options.group, "domain": options.domain}
    where = f"{folder} (class folders, no metadata.csv)"
    named = {
        option: None if name is None else require_column(name, columns, where, f"--{option}")
        for option, name in asked.items()
    }
    target = named["target"] or "label"
    for option in ("group", "domain"):
        if named[option] == target:
            raise DataError(f"{folder}: '{target}' is both target and {option}. Give another --{option}.")
    if named["domain"] is None and levels.domains is not None and "domain" not in (target, named["group"]):
        named["domain"] = "domain"
    return target, named["group"], named["domain"]


def _refuse_loose_files(folder: Path, names: Sequence[str], levels: _Levels, options: ReadOptions) -> None:
    """Refuse files in no class folder if each needs a label."""
    loose = [name for name, label in zip(names, levels.classes) if label == ""]
    if loose and options.labels_required:
        raise DataError(
            f"{folder}: {counted(len(loose), 'files')} in no class folder ({loose[0]}). Put each into the folder "
            "of its class, or write a metadata.csv with the columns file,label."
        )
