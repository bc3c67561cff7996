"""Data sets that a script holds: a DataFrame, a data set of `datasets`, or pairs of item and label.

A verb takes one in the place of a path. It is carried unread in the options, under a name that messages and records
use. No file holds it, so no command can name it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["DataFrame", "Dataset", "DatasetDict", "list"]

_CLASSES: tuple[tuple[str, Kind], ...] = (
    ("pandas", "DataFrame"),
    ("datasets", "Dataset"),
    ("datasets", "DatasetDict"),
)
_FORMS = (
    "must be a path, the id of a data set, a pandas DataFrame, a Dataset or DatasetDict of `datasets`, or a list of "
    "(item, label)"
)
_PAIRS = "a list must hold pairs (item, label)"


@dataclass(frozen=True, eq=False)
class DataInMemory:
    """A data set that a script holds.

    Attributes:
        kind: what it is.
        content: the object itself.
    """

    kind: Kind
    content: Any = field(repr=False)

    def __str__(self) -> str:
        """What messages and records call it."""
        return f"{self.kind} in memory"


Data: TypeAlias = str | Path | DataInMemory  # what names or holds a data set


def as_data(value: Any) -> str | DataInMemory:
    """A path or id as text, an object that holds data wrapped.

    Args:
        value: as a script passes it.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, str | Path):
        return str(value)
    found = in_memory(value)
    if found is not None:
        return found
    if isinstance(value, list):
        wrong = next((place for place, each in enumerate(value) if not _is_pair(each)), None)
        where = (
            "and it is empty" if wrong is None else f"and [{wrong}] is of type {type(value[wrong]).__name__}"
        )
        raise ValueError(f"{_PAIRS}, {where}")
    hint = " (to_pandas() makes a DataFrame of it)" if hasattr(value, "to_pandas") else ""
    raise ValueError(f"{_FORMS}{hint}")


def in_memory(value: Any) -> DataInMemory | None:
    """An object that holds items with their columns or labels, wrapped; None if it is another one.

    Args:
        value: any.
    """
    if isinstance(value, DataInMemory):
        return value
    for library, kind in _CLASSES:
        # an object of a library that was never imported cannot be here, so none is imported for this
        if isinstance(value, getattr(sys.modules.get(library), kind, ())):
            return DataInMemory(kind, value)
    if isinstance(value, list) and value and all(map(_is_pair, value)):
        return DataInMemory("list", value)
    return None


def is_in_memory(name: str) -> bool:
    """Whether the name of data, as a run keeps it, stands for a data set that a script held.

    Args:
        name: as `str` of the data gives it.
    """
    return name in {str(DataInMemory(kind, None)) for kind in get_args(Kind)}


def place_of(data: Data) -> Path:
    """A path that folders of runs are named after: that of the data, or the kind of object in small letters.

    Args:
        data: as options hold it.
    """
    return Path(data.kind.lower() if isinstance(data, DataInMemory) else data)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2
