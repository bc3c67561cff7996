"""A text as words, by the tokens that the network reads.

Removed words are left out to explain, and replaced by the mask token (without one: the unknown token) to test. In
scripts that are written without spaces each token is a part of its own. A long text has at most `MOST_PARTS`: words
that follow each other are then removed together.

Legend: P parts, M variants, T tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.data import TextPreprocessing
from headstart.data.texts import pad_ids, tokenizer_of
from headstart.explaining.parts.parts import Way

MOST_PARTS = 64
_WORD = re.compile(r"\w+(?:['’.-]\w+)*|[^\w\s]+")
# Thai to Myanmar, Khmer, and the characters of Chinese and Japanese
_WITHOUT_SPACES = re.compile("[\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_MASKS = ("[MASK]", "<mask>", "[UNK]", "<unk>")


@dataclass(frozen=True, eq=False)
class TextParts:
    """A text, cut into words.

    Attributes:
        text: all of it.
        spans: (begin, end) of each part in the text.
        ids_T: tokens of the text, with those that the tokenizer adds.
        parts_T: the part of each token; -1: it stays.
        mask_id: the token that stands for a removed one.
        preprocessing: of the run.
    """

    text: str
    spans: Sequence[tuple[int, int]]
    ids_T: np.ndarray
    parts_T: np.ndarray
    mask_id: int
    preprocessing: TextPreprocessing

    @classmethod
    def of(cls, text: str, preprocessing: TextPreprocessing) -> TextParts:
        """Cut a text.

        Args:
            text: any.
            preprocessing: of the run.
        """
        tokenizer = tokenizer_of(preprocessing.tokenizer_json, preprocessing.max_length)
        prompt = preprocessing.prompt
        encoding = tokenizer.encode(prompt + text)
        offsets = [(begin - len(prompt), end - len(prompt)) for begin, end in encoding.offsets]
        spans, parts_T = _parts(text, offsets, encoding.special_tokens_mask)
        mask = next((found for name in _MASKS if (found := tokenizer.token_to_id(name)) is not None), None)
        return cls(
            text,
            spans,
            np.array(encoding.ids, np.int32),
            parts_T,
            preprocessing.pad_id if mask is None else mask,
            preprocessing,
        )

    @property
    def n_parts(self) -> int:
        """P; 0 for an empty text."""
        return len(self.spans)

    @property
    def places(self) -> Sequence[str]:
        """The words themselves."""
        return [self.text[begin:end] for begin, end in self.spans]

    def inputs(self, present_MP: np.ndarray, way: Way) -> tuple[Tensor, ...]:
        """Token ids and attention mask, both (M, T), without some words; see `Parts.inputs`."""
        rows: list[Any] = []
        for present in present_MP:
            kept_T = np.append(present, True)[self.parts_T]  # -1 is the last: what stays
            left = self.ids_T[kept_T] if way == "explain" else np.where(kept_T, self.ids_T, self.mask_id)
            rows.append(left if len(left) else np.array([self.mask_id], np.int32))
        ids, mask = pad_ids(rows, self.preprocessing)
        return torch.from_numpy(ids), torch.from_numpy(mask)


def _parts(
    text: str, offsets: Sequence[tuple[int, int]], special: Sequence[int]
) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Spans of the parts in a text, and the part of each token, from the places of the tokens."""
    words = [found.span() for found in _WORD.finditer(text)]
    starts = np.array([begin for begin, _ in words])
    keys: list[Any] = []
    for place, (begin, end) in enumerate(offsets):
        begin += len(text[begin:end]) - len(text[begin:end].lstrip()) if begin >= 0 else 0
        word = int(np.searchsorted(starts, begin, side="right")) - 1
        if special[place] or end <= begin or begin < 0 or word < 0:
            keys.append(None)
        else:
            keys.append((word, place if _WITHOUT_SPACES.search(text[begin:end]) else -1))
    known = list(dict.fromkeys(key for key in keys if key is not None))
    n_joined = max(1, -(-len(known) // MOST_PARTS))
    number = {key: index // n_joined for index, key in enumerate(known)}
    parts_T = np.array([-1 if key is None else number[key] for key in keys], np.int64)
    spans = []
    for part in range(max(number.values(), default=-1) + 1):
        inside = [offsets[place] for place in np.flatnonzero(parts_T == part).tolist()]
        begin, end = min(each[0] for each in inside), max(each[1] for each in inside)
        spans.append((begin + len(text[begin:end]) - len(text[begin:end].lstrip()), end))
    return spans, parts_T
