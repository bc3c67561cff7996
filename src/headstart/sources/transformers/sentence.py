"""What a text source's folder says in addition to its weights: tokenizer, pooling, normalisation, length and prompt.

A sentence-transformers folder says how its embedding is made in a few small files: modules.json lists the
steps, 1_Pooling/config.json the pooling, sentence_bert_config.json the length,
config_sentence_transformers.json the prompts. Without them it is the mean over the text's own tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from headstart.data.preprocessing import TextPreprocessing
from headstart.errors import SourceError, one_line
from headstart.sources.json_files import named_file, read_json_value, read_object
from headstart.sources.links import check_all_inside, check_inside
from headstart.sources.weights import WEIGHT_SUFFIXES

_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_lasttoken": "lasttoken",
}
_ACTIVATIONS = {
    "Tanh": nn.Tanh,
    "Identity": nn.Identity,
    "ReLU": nn.ReLU,
    "GELU": nn.GELU,
    "Sigmoid": nn.Sigmoid,
}
# Their position ids begin after the padding id, so as many positions cannot be used.
_OFFSET_POSITIONS = (
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
    "camembert",
    "mpnet",
    "data2vec-text",
    "longformer",
)
_LONGEST = 512  # any text is cut to this: longer texts cost more attention than small data sets gain


def text_settings(folder: Path, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pooling and the preprocessing of a text source's folder.

    Args:
        folder: a folder of transformers or sentence-transformers.
        raw: its config.json.

    Raises:
        SourceError: a step that is not supported, or a tokenizer that cannot be read.
    """
    modules = _modules(folder)
    pooling = _pooling(folder, modules) if modules else {"modes": ["mean"], "normalise": False}
    return {"pooling": pooling, "preprocessing": text_preprocessing(folder, raw).to_json()}


def text_preprocessing(folder: Path, raw: Mapping[str, Any]) -> TextPreprocessing:
    """Return the tokenizer, the length and the prompt of a text source's folder."""
    own = read_object(folder / "sentence_bert_config.json")
    settings = read_object(folder / "tokenizer_config.json")
    tokenizer = _tokenizer(folder, lower_case=bool(own.get("do_lower_case")))
    pad_token = _pad_token(folder, settings)
    pad_id = tokenizer.token_to_id(pad_token)
    return TextPreprocessing(
        tokenizer_json=str(tokenizer.to_str()),
        max_length=_max_length(raw, [own.get("max_seq_length"), settings.get("model_max_length")]),
        prompt=_prompt(folder),
        pad_id=int(pad_id if pad_id is not None else raw.get("pad_token_id") or 0),
        pad_token=pad_token,
    )


def dense_layers(settings: Sequence[Mapping[str, Any]]) -> nn.Module | None:
    """Return the layers after the pooling (sentence-transformers' Dense), weights random; None for no layers."""
    if not settings:
        return None
    layers: list[nn.Module] = []
    for own in settings:
        layers += [
            nn.Linear(own["in_features"], own["out_features"], bias=bool(own.get("bias", True))),
            _ACTIVATIONS[own["activation"]](),
        ]
    return nn.Sequential(*layers)


def dense_folders(folder: Path) -> list[Path]:
    """Return the folders of a sentence-transformers folder's Dense steps, in order."""
    return [_step(folder, module) for module in _modules(folder) if _kind(module) == "Dense"]


def _modules(folder: Path) -> list[dict[str, Any]]:
    """The steps in modules.json; [] if there is no such file."""
    path = folder / "modules.json"
    modules = read_json_value(path, [])
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise SourceError(f"{path} must hold a list of steps.")
    return modules


def _step(folder: Path, module: Mapping[str, Any]) -> Path:
    return check_inside(named_file(folder, module.get("path"), folder / "modules.json"), folder)


def _pooling(folder: Path, modules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    modes: list[str] = ["mean"]
    dense: list[dict[str, Any]] = []
    normalise = False
    for module in modules:
        kind = _kind(module)
        if kind == "Pooling":
            modes = _modes(read_object(_step(folder, module) / "config.json"), folder)
        elif kind == "Dense":
            dense.append(_dense(read_object(_step(folder, module) / "config.json"), folder))
        elif kind == "Normalize":
            normalise = True
        elif kind not in ("Transformer", "Dropout"):
            raise SourceError(f"{folder / 'modules.json'} has a step '{kind}', which is not supported.")
    return {"modes": modes, "normalise": normalise, "dense": dense}


def _kind(module: Mapping[str, Any]) -> str:
    return str(module.get("type", "")).rpartition(".")[2]


def _modes(own: Mapping[str, Any], folder: Path) -> list[str]:
    """Pooling modes of both layouts: one flag per mode, or since sentence-transformers 6 one word."""
    named = own.get("pooling_mode")
    words = [named] if isinstance(named, str) else list(named or ())
    modes = words or [mode for key, mode in _MODES.items() if own.get(key)]
    unknown = [mode for mode in modes if mode not in _MODES.values()]
    unknown += [key for key in own if key.startswith("pooling_mode_") and own[key] and key not in _MODES]
    if unknown:
        raise SourceError(f"{folder} pools by {', '.join(unknown)}, which is not supported.")
    return modes or ["mean"]


def _dense(own: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    activation = str(own.get("activation_function", "torch.nn.modules.activation.Tanh")).rpartition(".")[2]
    if activation not in _ACTIVATIONS:
        raise SourceError(f"{folder} has a dense step with {activation}, which is not supported.")
    return {
        **{key: own.get(key) for key in ("in_features", "out_features", "bias")},
        "activation": activation,
    }


def _tokenizer(folder: Path, lower_case: bool) -> Any:
    from tokenizers import Tokenizer, normalizers

    path = check_inside(folder / "tokenizer.json")
    try:
        tokenizer = Tokenizer.from_file(str(path)) if path.is_file() else _converted_tokenizer(folder)
    except SourceError:
        raise
    except Exception as error:  # the tokenizers library raises a bare Exception on a damaged file
        raise SourceError(f"The tokenizer of {folder} cannot be read: {error}") from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if lower_case:
        before = [tokenizer.normalizer] if tokenizer.normalizer is not None else []
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *before])
    return tokenizer


def _converted_tokenizer(folder: Path) -> Any:
    """The fast tokenizer of a folder that has only a vocabulary (vocab.txt, merges.txt, sentencepiece)."""
    from transformers import AutoTokenizer

    check_all_inside(folder, but=WEIGHT_SUFFIXES)  # the library decides which files it reads
    try:
        slow = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        return slow.backend_tokenizer
    except Exception as error:
        raise SourceError(
            f"{folder} has no tokenizer.json, and none can be made from its files: {one_line(error)}"
        ) from None


def _pad_token(folder: Path, settings: Mapping[str, Any]) -> str:
    for own in (settings, read_object(folder / "special_tokens_map.json")):
        for name in ("pad_token", "eos_token"):
            token = own.get(name)
            if token:
                return str(token["content"] if isinstance(token, dict) else token)
    return "[PAD]"


def _max_length(raw: Mapping[str, Any], lengths: Sequence[Any]) -> int:
    """The smallest length in the folder's files; absurd values (1e30: unknown) are ignored."""
    positions = raw.get("max_position_embeddings") or raw.get("n_positions")
    if positions and raw.get("model_type") in _OFFSET_POSITIONS:
        positions -= int(raw.get("pad_token_id", 1)) + 1
    known = [int(length) for length in (*lengths, positions) if length and float(length) < 1_000_000]
    return min([*known, _LONGEST])


def _prompt(folder: Path) -> str:
    own = read_object(folder / "config_sentence_transformers.json")
    prompts = own.get("prompts") or {}
    return str(prompts.get(own.get("default_prompt_name")) or "")
