"""Near copies: sets that belong together, and patterns that do not."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.data.duplicate_checks import identity
from headstart.data.examples import Examples, string_array
from headstart.data.near_copies import MOST, NearCopies, near_copies
from headstart.data.scanning import scan
from small_data import texts

LONG = "a sentence of so many words that one more or less of them leaves it a near copy of this one"


def of(examples: Examples) -> tuple[NearCopies, np.ndarray]:
    seen = scan(examples.items, examples.modality, threads=1)
    keys = identity(examples, seen)
    return near_copies(examples, seen, keys), keys


def test_near_copies_join_the_copies_of_their_members() -> None:
    items = [
        f"{LONG}, once",
        "something else",
        LONG,
        f"{LONG.upper()}!",
        "something else again",
        "and another",
    ]
    near, keys = of(texts(items, "ababab"))
    assert [members.tolist() for members in near.sets] == [[0, 2]] and not near.patterns
    joined = near.joined(keys)
    assert joined[0] == joined[2] == joined[3] == keys[0]
    assert joined[1] == keys[1] and len(set(joined)) == 4


def test_nothing_near() -> None:
    near, keys = of(texts(["so", "la"], "ab"))
    assert not near.sets and near.joined(keys).tolist() == keys.tolist()


@pytest.mark.parametrize(
    ("n_filled", "n_others", "is_pattern"), [(MOST, 30, False), (MOST + 1, 30, True), (3, 1, True)]
)
def test_large_sets_are_patterns(n_filled: int, n_others: int, is_pattern: bool) -> None:
    items = [f"{LONG}, said {chr(97 + number)}; and {LONG[::-1]}, {LONG}" for number in range(n_filled)]
    items += [f"w{number}" for number in range(n_others)]
    near, keys = of(texts(items, ("ab" * len(items))[: len(items)]))
    assert [len(near.sets), len(near.patterns)] == ([0, 1] if is_pattern else [1, 0])
    assert len(set(near.joined(keys))) == (len(items) if is_pattern else n_others + 1)


def test_unreadable_items_are_no_copies() -> None:
    examples = Examples("text", ["", " ", LONG, f"{LONG} too", "x", "y"], string_array(range(6)))
    near, keys = of(examples)
    assert [members.tolist() for members in near.sets] == [[2, 3]]
    assert near.joined(keys)[:2].tolist() == ["", ""]
