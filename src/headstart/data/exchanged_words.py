"""Whether two similar short texts differ in words that were exchanged for others: then they are different texts.

"The meaning of the name Ella" and "the meaning of the name Kathryn" are similar, and different: in short texts a word
that was exchanged for an unrelated one, or another number, makes another text. A word that was added, dropped or
misspelt does not.
"""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher

LONG_CHARACTERS = 200  # from which an exchanged word leaves a text a copy (docs/data.md)
_MISSPELT = 0.7  # of the letters in common, from which two words are spellings of one


def has_exchanged_words(one: str, other: str) -> bool:
    """Whether two short texts differ in words that were exchanged for unrelated ones, or in numbers.

    Args:
        one: a text, as `comparable` returns it.
        other: a text that is similar to it as a whole.
    """
    if max(len(one), len(other)) >= LONG_CHARACTERS:
        return False
    words = Counter(one.split()), Counter(other.split())
    left, right = (list((words[side] - words[1 - side]).elements()) for side in (0, 1))
    if not left or not right:
        return False
    if all(any(character.isdigit() for word in side for character in word) for side in (left, right)):
        return True
    pairs = zip(left, right) if len(left) == len(right) else [(" ".join(left), " ".join(right))]
    return not all(_is_misspelt(*pair) for pair in pairs)


def _is_misspelt(one: str, other: str) -> bool:
    """Whether two words are spellings of one: they differ in one letter, or share most of them."""
    if len(one) == len(other) > 1 and sum(a != b for a, b in zip(one, other, strict=True)) == 1:
        return True
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _MISSPELT
