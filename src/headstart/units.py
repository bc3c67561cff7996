"""What items are called, the same in every message, bar, card and report."""

from __future__ import annotations

from collections.abc import Mapping

UNITS: Mapping[str, str] = {"image": "images", "text": "texts", "audio": "recordings"}


def counted(number: int, units: str) -> str:
    """A number with its unit: "1 image", "3,000 images".

    Args:
        number: how many.
        units: the unit in the plural, ending in s.
    """
    return f"{number:,} {units.removesuffix('s') if number == 1 else units}"
