"""Words that a tokenizer keeps whole, unknown tokens, scripts, known words; the language check on real encoders."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from headstart.adapt.shift.sentences import text_sentences
from headstart.adapt.shift.texts import compare_texts, script_shares, words
from headstart.data.preprocessing import TextPreprocessing

ENGLISH = ["the film was really wonderful", "this book has a terrible ending"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def tokenizer(vocabulary: list[str]) -> TextPreprocessing:
    from tokenizers import Tokenizer, models, pre_tokenizers

    pieces = ["[UNK]", *LETTERS, *(f"##{letter}" for letter in LETTERS), *vocabulary]
    made = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return TextPreprocessing(made.to_str(), 64)


def test_a_language_that_falls_to_letters() -> None:
    how = tokenizer(" ".join(ENGLISH).split())
    found = compare_texts(ENGLISH, ["der film war wirklich wunderbar", "das buch endet schrecklich"], how)
    assert found.source.whole == 1 and found.target.whole == pytest.approx(1 / 6)
    assert found.hardly_read and not found.source_hardly_read
    assert found.known_tokens == pytest.approx(1 / 9) and found.known_words == pytest.approx(1 / 9)
    assert any("hardly reads the target's language" in line for line in text_sentences(found))
    back = compare_texts(["der wunderbare schreckliche untergang"], ENGLISH, how)
    assert back.source_hardly_read and not back.hardly_read
    assert any("hardly reads the source's language" in line for line in text_sentences(back))


def test_unknown_tokens_and_scripts() -> None:
    found = compare_texts(
        ENGLISH, ["это хорошая книга", "ужасный конец"], tokenizer(" ".join(ENGLISH).split())
    )
    assert found.target.unknown == 1 and found.hardly_read
    assert list(found.target.scripts) == ["CYRILLIC"]
    lines = text_sentences(found)
    assert any("unknown token" in line for line in lines) and any("Cyrillic" in line for line in lines)
    stored = json.loads(json.dumps(found.to_json()))
    assert stored["target"]["unknown"] == 1 and stored["hardly_read"] is True


def test_a_tokenizer_of_letters_says_nothing() -> None:
    found = compare_texts(ENGLISH, ["der film war wirklich wunderbar"], tokenizer([]))
    assert found.source.whole == 0 and not found.hardly_read and not found.source_hardly_read


def test_without_words() -> None:
    found = compare_texts(ENGLISH, ["123 !!", ""], tokenizer(["film"]))
    assert not found.hardly_read and found.known_tokens == 0
    assert words(["a1b c-d", "e_f"]) == ["a", "b", "c", "d", "e", "f"]
    assert script_shares(["ab", "Ж語"]) == {"LATIN": 0.5, "CYRILLIC": 0.25, "CJK": 0.25}


@pytest.mark.real
@pytest.mark.parametrize(
    ("encoder", "unread"), [("all-MiniLM-L6-v2", True), ("multilingual-e5-small-latin", False)]
)
def test_english_and_multilingual_encoders(shared: Path, encoder: str, unread: bool) -> None:
    """MiniLM reads English only; e5 reads both. Within a language nothing is unread."""
    how = TextPreprocessing((shared / "weights" / encoder / "tokenizer.json").read_text(encoding="utf-8"))
    with (shared / "data" / "amcd" / "amcd.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    english = [row["text"] for row in rows if row["language"] == "en"]
    german = [row["text"] for row in rows if row["language"] == "de"]
    there, back = compare_texts(english, german[:150], how), compare_texts(german[:150], english, how)
    assert there.hardly_read is unread and back.source_hardly_read is unread
    assert not there.source_hardly_read and not back.hardly_read
    assert not compare_texts(english[:150], english[150:300], how).hardly_read
