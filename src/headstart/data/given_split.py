"""The given split: names of train, validation and test, and what a single held-out part means."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from headstart.data.examples import string_array
from headstart.errors import DataError

PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def part_of(name: str) -> str | None:
    """The part ("train", "validation", "test") that a folder or split value names, else None."""
    return PART_NAMES.get(name.strip().casefold())


def are_parts(names: Iterable[str]) -> bool:
    """Whether folders are the parts of a split: each of them is one, and train is among them."""
    parts = {part_of(name) for name in names}
    return "train" in parts and None not in parts


def given_split(values: np.ndarray, where: str) -> tuple[np.ndarray | None, str]:
    """The split of each item by the names given.

    One given part beside train is the held-out part, whatever its name; with test given too, the other is
    validation.

    Args:
        values: (n_items,) names as written, each one that `part_of` knows.
        where: what named them, for the sentence ("folders", "column 'split'").

    Returns:
        (n_items,) "train", "validation" or "test", with a sentence on where it came from; None if
        everything is train, with a sentence that says so.

    Raises:
        DataError: there is no train part.
    """
    parts = string_array(part_of(value) for value in values)
    kinds = set(parts)
    if "train" not in kinds:
        raise DataError(
            f"{where}: names {', '.join(sorted(set(values)))} but no train part. "
            "Name the part to learn from 'train', or leave the split out."
        )
    if kinds == {"train"}:
        return None, f"The split given by {where} has a train part only."
    if kinds == {"train", "validation"}:
        parts[parts == "validation"] = "test"
    named = {
        part: sorted({str(value) for value in values[parts == part]})
        for part in ("train", "validation", "test")
    }
    shown = ", ".join(
        f"{part} {int((parts == part).sum()):,}" + (f" ({'/'.join(names)})" if names != [part] else "")
        for part, names in named.items()
        if names
    )
    return parts, f"The split was given by {where}: {shown}."
