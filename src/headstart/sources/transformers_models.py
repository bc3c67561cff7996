"""Sources of transformers: a folder with its config.json, weights and tokenizer or feature extractor.

The library's own loading turns old tensor names into present ones; whatever is then missing, left over or of
another shape is refused. Weights are float32 whatever the file holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from headstart.data.examples import Modality
from headstart.data.preprocessing import (
    AudioPreprocessing,
    ImagePreprocessing,
    Preprocessing,
)
from headstart.errors import SourceError, did_you_mean
from headstart.sources.networks import HubImageNetwork, TextNetwork
from headstart.sources.sentence import text_settings
from headstart.sources.weights import load_tensors, misfit_message, read_weights, weight_files
from headstart.sources.whisper import WhisperNetwork, encoder_tensors

WAV2VEC2_FAMILY = ("wav2vec2", "hubert", "wavlm", "data2vec-audio")
AUDIO_MODELS = (*WAV2VEC2_FAMILY, "whisper", "audio-spectrogram-transformer")
# Tensors of upstream heads and decoders: left out in silence, as every task has a head of its own.
_HEADS = ("cls.", "classifier", "lm_head", "qa_outputs", "score.", "projector.", "decoder.", "proj_out", "vocab_")


def transformers_config(folder: Path, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source configuration of a folder of transformers.

    Args:
        folder: with config.json and, by modality, a tokenizer, an image processor or a feature extractor.
        raw: its config.json.
    """
    model_type = str(raw.get("model_type", ""))
    modality = modality_of(raw)
    config: dict[str, Any] = {
        "library": "transformers",
        "modality": modality,
        "architecture": (raw.get("architectures") or [model_type])[0],
        "config": dict(raw),
    }
    if modality == "text":
        return {**config, **text_settings(folder, raw)}
    processor = read_json(folder / "preprocessor_config.json")
    return {**config, "processor": processor, "preprocessing": _preprocessing(config, processor).to_json()}


def modality_of(raw: Mapping[str, Any]) -> Modality:
    """Return the modality of a model of transformers, from its config.json."""
    if raw.get("model_type") in AUDIO_MODELS:
        return "audio"
    return "image" if "num_channels" in raw or "image_size" in raw else "text"


def build_transformers(config: Mapping[str, Any], model: nn.Module | None = None) -> nn.Module:
    """Return the network of a source configuration: around a loaded model, or with fresh weights.

    Args:
        config: as `transformers_config` gives it.
        model: the loaded model; None: a fresh one.
    """
    model = fresh_model(config) if model is None else model
    if config["modality"] == "text":
        return TextNetwork(model, tuple(config["pooling"]["modes"]), bool(config["pooling"]["normalise"]))
    if config["modality"] == "image":
        return HubImageNetwork(model, str(config["pooling"]))
    if config["config"]["model_type"] == "whisper":
        return WhisperNetwork(model, config["processor"])
    raise SourceError(f"{config['architecture']} is not supported yet.")


def fresh_model(config: Mapping[str, Any]) -> nn.Module:
    """Return the model of a source configuration with fresh weights."""
    model_class, library_config, options = _model_class(config)
    build = getattr(model_class, "_from_config", model_class)
    model: nn.Module = build(library_config, **options)
    return model


def load_model(config: Mapping[str, Any], folder: Path) -> nn.Module:
    """Return the model of a folder with its weights, float32, in eval mode.

    Raises:
        SourceError: tensors are missing, left over or of another shape.
    """
    model_class, library_config, options = _model_class(config)
    if config["config"]["model_type"] == "whisper":
        encoder: nn.Module = model_class(library_config)
        load_tensors(encoder, encoder_tensors(read_weights(weight_files(folder))), str(folder))
        return encoder
    with _silence():
        model, info = model_class.from_pretrained(
            str(folder),
            config=library_config,
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
    missing = [name for name in info["missing_keys"]]
    left_over = [name for name in info["unexpected_keys"] if not _is_head(name, model)]
    misfits = [f"{name} {tuple(found)} for {tuple(wanted)}" for name, found, wanted in info["mismatched_keys"]]
    if missing or left_over or misfits:
        names = (sorted(missing), sorted(left_over), sorted(misfits))
        raise SourceError(misfit_message(str(folder), type(model).__name__, *names))
    network: nn.Module = model.eval()
    return network


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; {} where the file is not there.

    Raises:
        SourceError: it is no JSON.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} is no sound JSON: {error}") from None
    if not isinstance(content, dict):
        raise SourceError(f"{path} must hold a JSON object.")
    return content


def _model_class(config: Mapping[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """The class, its configuration object, and how to build it."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    raw = dict(config["config"])
    model_type = str(raw.pop("model_type", ""))
    if model_type not in CONFIG_MAPPING:
        near = did_you_mean(model_type, CONFIG_MAPPING.keys())
        raise SourceError(f"transformers has no model_type '{model_type}'.{near}")
    library_config = CONFIG_MAPPING[model_type](**{**raw, "torch_dtype": None, "dtype": "float32"})
    if model_type == "whisper":
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        return WhisperEncoder, library_config, {}
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    model_class = MODEL_MAPPING[type(library_config)]
    return model_class, library_config, _pooler_option(model_class, config)


def _pooler_option(model_class: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the class's own pooler out where the source does not pool by it."""
    import inspect

    takes = "add_pooling_layer" in inspect.signature(model_class.__init__).parameters
    return {"add_pooling_layer": False} if takes and config.get("pooling") != "pooler" else {}


def _is_head(name: str, model: Any) -> bool:
    """Whether a left-over tensor belongs to an upstream head or an unused pooler."""
    prefix = f"{getattr(model, 'base_model_prefix', '')}."
    bare = name.removeprefix("model.").removeprefix(prefix)
    return bare.startswith(("pooler.", *_HEADS)) or bare.endswith("position_ids")


def _preprocessing(config: Mapping[str, Any], processor: Mapping[str, Any]) -> Preprocessing:
    if config["modality"] == "audio":
        rate_hz = processor.get("sampling_rate")
        if rate_hz is None:
            raise SourceError(f"preprocessor_config.json of {config['architecture']} does not tell sampling_rate.")
        return AudioPreprocessing(rate_hz=int(rate_hz), max_seconds=float(processor.get("chunk_length", 30)))
    size = processor.get("size", 224)
    height, width = (size["height"], size["width"]) if isinstance(size, dict) else (size, size)
    return ImagePreprocessing(
        size=(height, width), mean=tuple(processor["image_mean"]), std=tuple(processor["image_std"])
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the library's own bars and reports off the screen: what matters in them is told as an error of ours."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


