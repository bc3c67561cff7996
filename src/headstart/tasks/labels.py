"""How labels are written as text: several of an item joined by `|`, none as `-`; and their natural order."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

SEPARATOR = "|"
NO_LABEL = "-"  # the text of an item that has none of the labels


def label_names(text: str) -> tuple[str, ...]:
    """The labels in a text such as "cat|dog"; none in "-"."""
    return () if text == NO_LABEL else tuple(text.split(SEPARATOR))


def joined(names: Iterable[str]) -> str:
    """Labels as one text, "-" for none."""
    return SEPARATOR.join(names) or NO_LABEL


def natural_order(labels: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels in the order a reader expects: whole numbers by value, else by name.

    Args:
        labels: any strings; "10" comes after "9" when all are whole numbers.
    """
    distinct = set(labels)
    if distinct and all(is_whole_number(label) for label in distinct):
        return tuple(sorted(distinct, key=lambda label: (int(label), label)))
    return tuple(sorted(distinct))


def is_whole_number(text: str) -> bool:
    """Whether a label is written as a whole number in ASCII digits."""
    digits = text[1:] if text[:1] in "+-" else text
    return digits.isascii() and digits.isdigit() and len(digits) < 19


def plain_name(name: str) -> str:
    """A name without what the eye hardly sees: case, further spaces, Unicode form, characters without width."""
    visible = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    return " ".join(unicodedata.normalize("NFC", visible).casefold().split())
