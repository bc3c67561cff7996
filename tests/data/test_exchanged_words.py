"""Words that make another text of a short one: exchanged ones, not added, dropped or misspelt ones."""

from __future__ import annotations

import pytest

from headstart.data.exchanged_words import LONG_CHARACTERS, has_exchanged_words

QUESTION = "what is the meaning of the name {}"


@pytest.mark.parametrize(
    ("one", "other", "exchanged"),
    [
        (QUESTION.format("ella"), QUESTION.format("kathryn"), True),
        (QUESTION.format("catherine"), QUESTION.format("katherine"), False),
        (QUESTION.format("ella"), QUESTION.format("ella then"), False),
        (QUESTION.format("ella"), "the meaning of the name ella", False),
        ("summer games of 1932", "summer games of 1936", True),
        ("summer games of 1932 in town", "summer games in town", False),
        ("a letter to b", "a letter to f", True),
        ("two words differ in here", "some other words differ here", True),
        ("the two were kept apart", "the two were kepta part", False),
        ("the same words", "words the same", False),
    ],
)
def test_both_ways(one: str, other: str, exchanged: bool) -> None:
    assert has_exchanged_words(one, other) is exchanged
    assert has_exchanged_words(other, one) is exchanged


def test_one_word_leaves_a_long_text_a_copy() -> None:
    one, other = ("x" * LONG_CHARACTERS + f" {word}" for word in ("ella", "kathryn"))
    assert not has_exchanged_words(one, other)
    assert has_exchanged_words(one[100:], other[100:])
