"""What items are called, the same in every message, bar, card and report."""

from __future__ import annotations

from collections.abc import Mapping

UNITS: Mapping[str, str] = {"image": "images", "text": "texts", "audio": "recordings"}


def counted(number: int, units: str) -> str:
    """A number with its unit: "1 image", "3,000 images".

    Args:
        number: how many.
        units: the unit in the plural, ending in s: "images", "copies".
    """
    return f"{number:,} {agreeing(number, _singular(units), units)}"


def agreeing(number: int, one: str, many: str) -> str:
    """The form of a word that agrees with a number: "is" or "are"."""
    return one if number == 1 else many


def _singular(units: str) -> str:
    if units.endswith("ies"):
        return f"{units.removesuffix('ies')}y"
    return units.removesuffix("es" if units.endswith("sses") else "s")
