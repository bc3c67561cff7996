"""Does the encoder read the texts of the target? Words that its tokenizer keeps whole, unknown tokens, scripts.

A tokenizer learned its pieces from texts of the language that the encoder reads; words of another language fall into
many pieces. Of words of at least `LEAST_LETTERS` letters the BERT tokenizer (English, 30,522 pieces) keeps 88% to 95%
whole on six sets of English texts and 13% on two sets of German ones. So a target of which under `HARDLY` of the long
words stay whole, or over `UNKNOWN` of the words hold an unknown token, is hardly read. A tokenizer that works
on bytes or letters breaks up all texts, so the other domain must be read better. Texts without spaces between words
(Chinese, Japanese, Thai) are long words to this rule, so for them only unknown tokens count.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from headstart.data.preprocessing import TextPreprocessing

LEAST_LETTERS = 4
HARDLY = 0.35
LESS = 0.5  # of the share in the other domain: it must also be this much worse
UNKNOWN = 0.1
MOST_WORDS = 5000  # per domain
_WORD = re.compile(r"[^\W\d_]+")
_WITHOUT_SPACES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_MARKS = "▁Ġ "  # what SentencePiece and byte-level tokenizers put before a word


@dataclass(frozen=True)
class Reading:
    """How the tokenizer of a source reads some texts.

    Attributes:
        n_words: looked at.
        pieces_per_word: tokens of a word, on average.
        whole: share of words of at least `LEAST_LETTERS` letters that are one token.
        unknown: share of words with an unknown token.
        scripts: share of letters by script ("LATIN", "CYRILLIC"), the most frequent first.
    """

    n_words: int
    pieces_per_word: float
    whole: float
    unknown: float
    scripts: dict[str, float]


@dataclass(frozen=True)
class Texts:
    """The texts of both domains.

    Attributes:
        source, target: how they are read.
        known_tokens: share of the target's words, as often as they occur, that occur in the source.
        known_words: share of its different words.
    """

    source: Reading
    target: Reading
    known_tokens: float
    known_words: float

    @property
    def hardly_read(self) -> bool:
        """Whether the encoder hardly reads the target's language."""
        return _worse(self.target, self.source)

    @property
    def source_hardly_read(self) -> bool:
        """Whether the encoder hardly reads the source's language."""
        return _worse(self.source, self.target)

    def to_json(self) -> dict[str, Any]:
        """The same as a dictionary that JSON can hold."""
        return {
            "hardly_read": self.hardly_read,
            "source_hardly_read": self.source_hardly_read,
            **asdict(self),
        }


def _worse(one: Reading, other: Reading) -> bool:
    """Whether texts are hardly read, and much worse than others."""
    if not one.n_words or not other.n_words:
        return False
    if one.unknown > max(UNKNOWN, 2 * other.unknown):
        return True
    spaced = next(iter(one.scripts), "") not in _WITHOUT_SPACES
    return spaced and one.whole < min(HARDLY, LESS * other.whole)


def compare_texts(source: Sequence[str], target: Sequence[str], preprocessing: TextPreprocessing) -> Texts:
    """Compare the words of two domains, and how the tokenizer of a source reads them.

    Args:
        source: texts of the source domain.
        target: texts of the target domain.
        preprocessing: of the encoder, with its tokenizer.
    """
    of_source, of_target = words(source), words(target)
    seen = Counter(word.lower() for word in of_source)
    asked = Counter(word.lower() for word in of_target)
    known = [word for word in asked if word in seen]
    return Texts(
        _read(of_source, preprocessing),
        _read(of_target, preprocessing),
        sum(asked[word] for word in known) / max(sum(asked.values()), 1),
        len(known) / max(len(asked), 1),
    )


def words(texts: Sequence[str]) -> list[str]:
    """Return the words of the first texts that together have about `MOST_WORDS`: runs of letters.

    Args:
        texts: any number.
    """
    found: list[str] = []
    for text in texts:
        found += _WORD.findall(text)
        if len(found) >= MOST_WORDS:
            break
    return found[:MOST_WORDS]


def script_shares(found: Sequence[str]) -> dict[str, float]:
    """Return the share of letters of each script, the most frequent first.

    Args:
        found: words.
    """
    counts: Counter[str] = Counter()
    for letter, n in Counter(letter for word in found for letter in word).items():
        counts[_script(letter)] += n
    total = max(sum(counts.values()), 1)
    return {name: n / total for name, n in counts.most_common()}


def _script(letter: str) -> str:
    """The script of a letter: the first word of its name in Unicode."""
    return unicodedata.name(letter, "UNKNOWN").split()[0].removesuffix("-")


def _read(found: Sequence[str], preprocessing: TextPreprocessing) -> Reading:
    tokenizer, unknown = _tokenizer(preprocessing.tokenizer_json)
    encoded = tokenizer.encode_batch(list(found), add_special_tokens=False)
    n_pieces = [sum(1 for token in own.tokens if token.strip(_MARKS)) for own in encoded]
    long = [n == 1 and unknown not in own.ids for n, own, word in zip(n_pieces, encoded, found, strict=True)
            if len(word) >= LEAST_LETTERS]  # fmt: skip
    return Reading(
        len(found),
        sum(n_pieces) / max(len(found), 1),
        sum(long) / max(len(long), 1),
        sum(unknown in own.ids for own in encoded) / max(len(found), 1),
        script_shares(found),
    )


@lru_cache(maxsize=2)
def _tokenizer(tokenizer_json: str) -> tuple[Any, int | None]:
    """The tokenizer, and the number of its unknown token; None without one."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    model = json.loads(tokenizer_json).get("model", {})
    name = model.get("unk_token")
    return tokenizer, model.get("unk_id") if name is None else tokenizer.token_to_id(name)
