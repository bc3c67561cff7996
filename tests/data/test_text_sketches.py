"""Sketches: equal bins estimate the exact similarity, and a text's sketch depends on that text alone."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.data import text_sketches
from headstart.data.text_sketches import (
    MOST_CHARACTERS,
    N_BINS,
    comparable,
    jaccard,
    shingle_set,
    shingles,
    sketches,
)


def words(generator: np.random.Generator, n_words: int) -> list[str]:
    """Words of two to eight letters."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return ["".join(generator.choice(letters, size)) for size in generator.integers(2, 9, n_words)]


def plain_jaccard(one: str, other: str) -> float:
    sets = [{text[place : place + 5] for place in range(len(text) - 4)} for text in (one, other)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def test_similarity_agrees_with_sets_of_strings() -> None:
    generator = np.random.default_rng(0)
    for n_words in (3, 12, 80):
        own = words(generator, n_words)
        one, other = (
            " ".join(own),
            " ".join([*own[: n_words // 2], *words(generator, 3), *own[n_words // 3 :]]),
        )
        assert jaccard(shingle_set(one), shingle_set(other)) == pytest.approx(plain_jaccard(one, other))
    assert jaccard(shingle_set("Größe 𝒳 zählt"), shingle_set("grösse 𝒳 zählt")) == 1
    assert jaccard(shingle_set("zählt 𝒳 nicht"), shingle_set("zählt 𝒴 nicht")) < 1
    assert jaccard(shingle_set("WORD,  by word!"), shingle_set("word by word")) == 1


@pytest.mark.parametrize("n_words", [8, 40, 400])
def test_equal_bins_estimate_the_similarity(n_words: int) -> None:
    generator = np.random.default_rng(n_words)
    errors = []
    for share in np.linspace(0.1, 1.0, 60):
        own = words(generator, n_words)
        other = [*own[: max(1, int(share * n_words))], *words(generator, int((1 - share) * n_words))]
        pair = [" ".join(own), " ".join(other)]
        bins = sketches(pair)
        errors.append(float((bins[0] == bins[1]).mean()) - plain_jaccard(*pair))
    # a bin agrees by chance in 1 of 256, and 128 of them have a standard error of at most .044
    assert abs(float(np.mean(errors))) < 3 * 0.044 / np.sqrt(60) + 1 / 256
    assert float(np.std(errors)) < 0.05


def test_a_sketch_depends_on_its_text_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    made = [" ".join(words(generator, size)) for size in (0, 1, 7, 300, 2, 50)]
    whole = sketches(made)
    assert whole.shape == (6, N_BINS) and whole.dtype == np.uint8
    monkeypatch.setattr(text_sketches, "_AT_ONCE", 100)
    np.testing.assert_array_equal(sketches(made), whole)
    np.testing.assert_array_equal(np.concatenate([sketches([text]) for text in made]), whole)


def test_no_shingle_spans_two_texts() -> None:
    hashes, owners = shingles(["abcdef", "abcd", "", "bcdef"])
    assert owners.tolist() == [0, 0, 3]
    assert hashes[1] == hashes[2] != hashes[0]
    assert len(shingles([])[0]) == len(shingles(["abcd"])[0]) == 0
    assert sketches([]).shape == (0, N_BINS)


def test_the_beginning_of_a_long_text_is_compared() -> None:
    assert len(comparable("a" * (MOST_CHARACTERS + 5))) == MOST_CHARACTERS
