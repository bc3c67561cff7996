"""Texts among others: what comparing every pair would give."""

from __future__ import annotations

import numpy as np

from headstart.data.near_texts import LEAST_CHARACTERS, NEAR
from headstart.data.text_index import TextIndex
from headstart.data.text_sketches import jaccard, shingle_set


def sentences(n_texts: int, n_words: int, seed: int = 0) -> list[str]:
    generator = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    vocabulary = ["".join(generator.choice(letters, size)) for size in generator.integers(2, 10, 2_000)]
    return [" ".join(generator.choice(vocabulary, n_words)) for _ in range(n_texts)]


def test_it_agrees_with_all_pairs() -> None:
    own = sentences(60, 60)
    others = sentences(80, 60, seed=1)
    for place in range(40):
        words = own[place].split()
        others.insert(3 * place, " ".join(words[place // 2 :]))  # from all words to two thirds of them
    sets = [[shingle_set(text) for text in part] for part in (own, others)]
    expected = {
        (row, place)
        for row, mine in enumerate(sets[0])
        for place, theirs in enumerate(sets[1])
        if jaccard(mine, theirs) >= NEAR
    }
    assert 25 < len(expected) < 40  # some are cut too short to be near
    index = TextIndex(own)
    assert set(index.near(np.arange(60), others)) == expected
    wanted = np.array([0, 5, 59])
    assert set(index.near(wanted, others)) == {pair for pair in expected if pair[0] in wanted}


def test_short_texts_and_exchanged_words_are_no_copies() -> None:
    short = "a good movie"
    own = [short, "what is the meaning of the name Ella, and who has it"]
    assert len(short) < LEAST_CHARACTERS
    index = TextIndex(own)
    assert (
        index.near(
            np.arange(2), [short, f"{short} too", "what is the meaning of the name Kay, and who has it"]
        )
        == []
    )
    assert index.near(np.arange(2), ["so what is the meaning of the name Ella, and who has it"]) == [(1, 0)]


def test_nothing_to_look_for() -> None:
    assert TextIndex([]).near(np.zeros(0, np.int64), sentences(2, 30)) == []
    assert TextIndex(sentences(2, 30)).near(np.arange(2), []) == []
    assert TextIndex(sentences(2, 30)).near(np.zeros(0, np.int64), sentences(2, 30)) == []


def test_a_template_stays_affordable() -> None:
    form = "{}: goods as ordered in March are delivered by our partner, payable within thirty days without deduction, "
    form += "to be sent to our office in the usual way, with the number of the order and the name of the customer on it"
    filled = [form.format(word) for word in sentences(400, 1)]
    found = TextIndex(filled).near(np.arange(400), [*sentences(1, 40), form.format("Anyone")])
    assert 16 <= len(found) <= 25 * 16 and {place for _, place in found} == {1}
