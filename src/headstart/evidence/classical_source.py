"""A fitted classical baseline as a source with a head, in the form that a run is written from.

Legend: C classes, V words, P pairs of words, D features.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from headstart.data.examples import Modality
from headstart.data.preprocessing import (
    AudioPreprocessing,
    Preprocessing,
    TextPreprocessing,
)
from headstart.evidence.classical_dense import DenseModel
from headstart.evidence.classical_features import MAX_SECONDS, PICTURE, RATE_HZ
from headstart.evidence.classical_text import TextModel
from headstart.heads.linear import LinearHead

if TYPE_CHECKING:
    from headstart.evidence.baselines import ClassicalModel
    from headstart.sources import Source

STAGE = "features"
SPECIAL = ("[PAD]", "[UNK]", "[BOS]")  # no word has a bracket
LONGEST_TEXT = 131_072  # words; what comes after is not counted
_CLASSES = "headstart.evidence.classical_network"
_NEVER = -1e9  # the score of a class that no training item has


def classical_source(model: ClassicalModel, modality: Modality) -> tuple[Source, LinearHead]:
    """Return the features of a fitted classical baseline as a source, and its head on them.

    Args:
        model: what `fit_classical` returned.
        modality: of the data.
    """
    if isinstance(model, TextModel):
        words = _Words(model)
        source = _source("text", "TfIdf", words.config, words.preprocessing, words.tensors)
        return source, words.head(model)
    if not isinstance(model, DenseModel):
        raise TypeError(f"a classical baseline is a DenseModel or a TextModel, got {type(model).__name__}")
    if modality == "image":
        from_0_to_1 = replace(PICTURE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
        return _source("image", "Histograms", {}, from_0_to_1, {}), model.head
    sound = AudioPreprocessing(rate_hz=RATE_HZ, max_seconds=MAX_SECONDS)
    return _source("audio", "LogMel", {"form": model.form}, sound, {}), model.head


def _source(
    modality: Modality,
    name: str,
    config: Mapping[str, Any],
    preprocessing: Preprocessing,
    tensors: Mapping[str, torch.Tensor],
) -> Source:
    """The source of one of the classes of `classical_network`, filled with tensors."""
    from headstart.sources import Source
    from headstart.sources.libraries import build_network
    from headstart.sources.source import Provenance

    stages = {STAGE: f"model.{STAGE}"}
    described: dict[str, Any] = {
        "library": "custom",
        "modality": modality,
        "architecture": f"{_CLASSES}:{name}",
        "config": dict(config),
        "stages": stages,
        "preprocessing": preprocessing.to_json(),
    }
    network = build_network(described)
    network.load_state_dict(
        {**network.state_dict(), **{f"model.{STAGE}.{key}": value for key, value in tensors.items()}}
    )
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for tensor in network.state_dict().values():
        digest.update(tensor.contiguous().numpy().tobytes())
    return Source(
        uri="classical features",
        modality=modality,
        network=network,
        stages=stages,
        preprocessing=preprocessing,
        digest=digest.hexdigest(),
        provenance=Provenance(f"{_CLASSES}:{name}", "custom", pretrained=False),
        config=described,
    )


class _Words:
    """The words and pairs of words of a fitted TfidfVectorizer, numbered for `TfIdf` and for a tokenizer."""

    def __init__(self, model: TextModel) -> None:
        terms = sorted(model.vectoriser.vocabulary_.items(), key=lambda term: term[1])
        self._idf = np.asarray(model.vectoriser.idf_, dtype=np.float32)
        parts = [term.split(" ") for term, _ in terms]
        words = sorted({word for part in parts for word in part})
        self.number = {word: index for index, word in enumerate([*SPECIAL, *words])}
        n_words = len(self.number)
        keys = [[self.number[word] for word in part] for part in parts]
        self._column_of_word = np.array([k for k, key in enumerate(keys) if len(key) == 1], dtype=np.intp)
        pairs = np.array([k for k, key in enumerate(keys) if len(key) == 2], dtype=np.intp)
        numbers = np.array([keys[k][0] * n_words + keys[k][1] for k in pairs], dtype=np.int64)
        order = np.argsort(numbers)
        self._pairs, self._column_of_pair = numbers[order], pairs[order]
        self._rows = np.array([keys[k][0] for k in self._column_of_word], dtype=np.intp)
        self.config = {"n_words": n_words, "n_pairs": len(pairs)}

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """What fills `TfIdf`."""
        word_idf = np.zeros((len(self.number), 1), dtype=np.float32)
        word_idf[self._rows, 0] = self._idf[self._column_of_word]
        return {
            "word_idf.weight": torch.from_numpy(word_idf),
            "pairs": torch.from_numpy(self._pairs),
            "pair_idf": torch.from_numpy(self._idf[self._column_of_pair]),
        }

    @property
    def preprocessing(self) -> TextPreprocessing:
        """A tokenizer that finds the same words: runs of letters, numbers and `_`, in small letters.

        Python's `\\w` takes exactly these; that of the tokenizer's library takes marks too.
        """
        from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
        from tokenizers.models import WordLevel

        tokenizer = Tokenizer(WordLevel(self.number, unk_token=SPECIAL[1]))
        tokenizer.normalizer = normalizers.Lowercase()
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\p{L}\p{N}_]+"), "removed", invert=True)
        tokenizer.post_processor = processors.TemplateProcessing(  # so that no text is empty
            single=f"{SPECIAL[2]} $A", special_tokens=[(SPECIAL[2], self.number[SPECIAL[2]])]
        )
        return TextPreprocessing(tokenizer.to_str(), max_length=LONGEST_TEXT, pad_id=0, pad_token=SPECIAL[0])

    def head(self, model: TextModel) -> LinearHead:
        """The same scores on the columns of `TfIdf`: words by their number, then pairs."""
        weights, targets = model.weights, model.targets
        n_words = len(self.number)
        weight = np.zeros((targets.n_outputs, n_words + len(self._pairs)), dtype=np.float32)
        bias = np.where(np.isfinite(weights.base), weights.base, _NEVER)
        columns = weights.columns
        if (
            targets.task.one_per_item and len(weights.models) == 1
        ):  # the second of two classes against the first
            bias[columns[:1]], columns = 0.0, columns[1:]
        for column, fitted in zip(columns, weights.models):
            row = np.ravel(fitted.coef_)
            weight[column, self._rows] = row[self._column_of_word]
            weight[column, n_words:] = row[self._column_of_pair]
            bias[column] = np.ravel(fitted.intercept_)[0]
        return LinearHead(
            stages=(0,),
            mean=np.zeros(weight.shape[1], dtype=np.float32),
            scale=np.ones(weight.shape[1], dtype=np.float32),
            weight=weight,
            bias=bias.astype(np.float32),
            temperature=model.temperature,
            classes=targets.classes,
            task=targets.task,
            unit=weights.unit,
        )
