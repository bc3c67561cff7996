"""Token ids of texts, padded to a fixed ladder of lengths so that an item's padded length depends on itself
alone.

Legend: N items, T padded length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from headstart.data.preprocessing import TextPreprocessing

LADDER = (8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512)
_TEXTS_AT_ONCE = 4096  # the tokenizer's encodings take many times the memory of the ids
_KEPT_TOKENS = (
    20_000_000  # kept for the last set of texts, so that planning and loading tokenise once (80 MB at most)
)


@lru_cache(maxsize=4)
def tokenizer_of(tokenizer_json: str, max_length: int) -> Any:
    """The `tokenizers.Tokenizer` of a source, which cuts texts and does not pad; not to be changed.

    Args:
        tokenizer_json: as `TextPreprocessing` holds it.
        max_length: tokens at most.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return tokenizer


def encode_texts(texts: Sequence[str], preprocessing: TextPreprocessing) -> list[np.ndarray]:
    """Token ids of each text, prompt and special tokens included, cut at `max_length`.

    Args:
        texts: N strings.
        preprocessing: the source's tokenizer, prompt and length.

    Returns:
        N int32 arrays of their own lengths.
    """
    found: list[np.ndarray] = []
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        found += _encode(texts[start : start + _TEXTS_AT_ONCE], preprocessing)
    return found


def _encode(texts: Sequence[str], preprocessing: TextPreprocessing) -> list[np.ndarray]:
    tokenizer = tokenizer_of(preprocessing.tokenizer_json, preprocessing.max_length)
    # only the beginning of a very long text is tokenised; all of it if the beginning gives too few tokens
    limit = 16 * preprocessing.max_length + 4096
    prompt = preprocessing.prompt
    ids = [
        encoding.ids for encoding in tokenizer.encode_batch_fast([prompt + text[:limit] for text in texts])
    ]
    for index, text in enumerate(texts):
        if len(text) > limit and len(ids[index]) < preprocessing.max_length:
            ids[index] = tokenizer.encode(prompt + text).ids
    return [np.array(own, dtype=np.int32) for own in ids]


class _LastEncoded:
    """The token ids of the last texts asked for."""

    def __init__(self) -> None:
        self.kept: tuple[tuple[str, ...], TextPreprocessing, list[np.ndarray]] | None = None


_last = _LastEncoded()


def encode_all(texts: Sequence[str], preprocessing: TextPreprocessing) -> list[np.ndarray]:
    """`encode_texts`, remembered for the same texts asked for again.

    Args:
        texts: N strings.
        preprocessing: the source's tokenizer, prompt and length.

    Returns:
        N int32 arrays, not to be changed.
    """
    key = tuple(texts)
    kept = _last.kept
    if kept is not None and kept[1] == preprocessing and kept[0] == key:
        return kept[2]
    encoded = encode_texts(key, preprocessing)
    if sum(len(ids) for ids in encoded) <= _KEPT_TOKENS:
        _last.kept = (key, preprocessing, encoded)
    return encoded


def padded_length(n_tokens: int, max_length: int) -> int:
    """The ladder's first length that holds some tokens, never over `max_length`.

    Args:
        n_tokens: of the item, at most `max_length`.
        max_length: what the network takes.
    """
    for rung in LADDER:
        if n_tokens <= rung:
            return min(rung, max_length)
    rung = LADDER[-1]
    while rung < n_tokens:
        rung += rung // 2 if rung & (rung - 1) == 0 else rung // 3
    return min(rung, max_length)


def pad_ids(ids: Sequence[np.ndarray], preprocessing: TextPreprocessing) -> tuple[np.ndarray, np.ndarray]:
    """Token ids and mask of a batch, padded to the ladder's length for its longest item.

    Args:
        ids: N int arrays.
        preprocessing: the padding id.

    Returns:
        int64 (N, T) ids and int64 (N, T) mask, 1 at the items' own tokens.
    """
    width = padded_length(max((len(row) for row in ids), default=1), preprocessing.max_length)
    input_ids = np.full((len(ids), width), preprocessing.pad_id, dtype=np.int64)
    mask = np.zeros((len(ids), width), dtype=np.int64)
    for row, own in enumerate(ids):
        input_ids[row, : len(own)] = own
        mask[row, : len(own)] = 1
    return input_ids, mask


def n_cut_texts(texts: Sequence[str], preprocessing: TextPreprocessing) -> int:
    """How many texts fill `max_length`, and so were (almost surely) cut there.

    Args:
        texts: N strings.
        preprocessing: the source's tokenizer and length.
    """
    return sum(len(ids) >= preprocessing.max_length for ids in encode_all(texts, preprocessing))
