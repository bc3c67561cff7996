"""What a text source's folder tells beside its weights: tokenizer, pooling, normalisation, length and prompt.

A sentence-transformers folder says how its embedding is made in a few small files: modules.json lists the steps,
1_Pooling/config.json the pooling, sentence_bert_config.json the length, config_sentence_transformers.json the
prompts. Without them the embedding is the mean over the text's own tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.data.preprocessing import TextPreprocessing
from headstart.errors import SourceError

_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_lasttoken": "lasttoken",
}


def text_settings(folder: Path, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pooling and the preprocessing of a text source's folder.

    Args:
        folder: a folder of transformers or sentence-transformers.
        raw: its config.json.
    """
    pooling = {"modes": ["mean"], "normalise": False}
    modules = folder / "modules.json"
    if modules.is_file():
        pooling = _pooling(folder, json.loads(modules.read_text(encoding="utf-8")))
    return {"pooling": pooling, "preprocessing": text_preprocessing(folder, raw).to_json()}


def text_preprocessing(folder: Path, raw: Mapping[str, Any]) -> TextPreprocessing:
    """Return the tokenizer, the length and the prompt of a text source's folder."""
    tokenizer_json = _tokenizer_json(folder)
    settings = _json(folder / "tokenizer_config.json")
    pad_token = settings.get("pad_token") or "[PAD]"
    pad_token = pad_token["content"] if isinstance(pad_token, dict) else str(pad_token)
    return TextPreprocessing(
        tokenizer_json=tokenizer_json,
        max_length=_max_length(folder, raw, settings),
        prompt=_prompt(folder),
        pad_id=int(raw.get("pad_token_id") or 0),
        pad_token=pad_token,
    )


def _pooling(folder: Path, modules: list[Mapping[str, Any]]) -> dict[str, Any]:
    modes, normalise = ["mean"], False
    for module in modules:
        kind = str(module["type"]).rpartition(".")[2]
        if kind == "Pooling":
            own = _json(folder / str(module["path"]) / "config.json")
            modes = [mode for key, mode in _MODES.items() if own.get(key)]
        elif kind == "Normalize":
            normalise = True
        elif kind != "Transformer":
            raise SourceError(f"{folder / 'modules.json'} has a step '{kind}' that is not supported.")
    return {"modes": modes or ["mean"], "normalise": normalise}


def _tokenizer_json(folder: Path) -> str:
    path = folder / "tokenizer.json"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    raise SourceError(f"{folder} has no tokenizer.json.")


def _max_length(folder: Path, raw: Mapping[str, Any], settings: Mapping[str, Any]) -> int:
    """The least of what the folder's files tell; absurd values (1e30: unknown) are passed over."""
    positions = raw.get("max_position_embeddings")
    told = [
        _json(folder / "sentence_bert_config.json").get("max_seq_length"),
        settings.get("model_max_length"),
        positions,
    ]
    lengths = [int(length) for length in told if length and float(length) < 100_000]
    return min(lengths, default=512)


def _prompt(folder: Path) -> str:
    own = _json(folder / "config_sentence_transformers.json")
    prompts = own.get("prompts") or {}
    return str(prompts.get(own.get("default_prompt_name"), ""))


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
