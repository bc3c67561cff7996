"""Sources of transformers: a folder with config.json, weights and a tokenizer, image or audio processor.

The library's own loading turns old tensor names into present ones; whatever is then missing, left over or of
another shape is refused. Weights are float32 whatever the file holds.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from headstart.data.examples import Modality
from headstart.errors import SourceError, did_you_mean
from headstart.sources import standard
from headstart.sources.files import read_json
from headstart.sources.networks import HubImageNetwork, TextNetwork
from headstart.sources.processors import audio_preprocessing, image_preprocessing
from headstart.sources.sentence import dense_layers, text_settings
from headstart.sources.weights import load_tensors, misfit_message, read_weights, tensor_names

WAV2VEC2_FAMILY = ("wav2vec2", "hubert", "wavlm", "data2vec-audio")
# Tensors of upstream heads, where names do not tell the base model apart; and two that no embedding needs.
_HEADS = (
    "cls.",
    "classifier",
    "lm_",
    "qa_outputs",
    "score.",
    "projector.",
    "decoder.",
    "vocab_",
    "quantizer.",
)
_HEADS_ALSO = (
    "project_",
    "pooler.",
    "discriminator_",
    "generator_",
    "mask_predictions",
    "final_proj",
    "lm_head",
)
_VISION = ("_vision_model", "vit_mae")  # towers without a classifier of their own
_UNUSED = ("masked_spec_embed", "position_ids")


def transformers_config(
    folder: Path, raw: Mapping[str, Any], files: Sequence[Path], *, remote_code: bool = False
) -> dict[str, Any]:
    """Return the source configuration of a folder of transformers.

    Args:
        folder: with config.json and, by modality, a tokenizer, an image processor or a feature extractor.
        raw: its config.json.
        files: its weight files, for the names of their tensors.
        remote_code: its class is defined by code in the folder (text encoders only).

    Raises:
        SourceError: the architecture is none that gives one embedding an item.
    """
    model_type = str(raw.get("model_type", ""))
    modality: Modality = "text" if remote_code else modality_of(raw)
    config: dict[str, Any] = {
        "library": "transformers",
        "modality": modality,
        "architecture": (raw.get("architectures") or [model_type])[0],
        "config": dict(raw),
        "pooler": False,
        "remote_code": remote_code,
    }
    if modality == "text":
        return {**config, **text_settings(folder, raw)}
    processor = read_json(folder / "preprocessor_config.json")
    read = audio_preprocessing if modality == "audio" else image_preprocessing
    if modality == "image":
        names = tensor_names(files)
        config["pooler"] = any("pooler." in name for name in names) or not _pooler_has_weights(config)
    return {**config, "processor": processor, "preprocessing": read(processor, folder).to_json()}


def modality_of(raw: Mapping[str, Any]) -> Modality:
    """Return the modality of a model of transformers, from its config.json.

    Raises:
        SourceError: transformers has no such model_type, or one for neither text, images nor audio.
    """
    from transformers.models.auto import modeling_auto as auto

    model_type = str(raw.get("model_type", ""))
    if model_type == "whisper" or model_type in auto.MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES:
        return "audio"
    if model_type in auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES or model_type.endswith(_VISION):
        return "image"
    if model_type not in auto.MODEL_MAPPING_NAMES:
        near = did_you_mean(model_type, auto.MODEL_MAPPING_NAMES)
        own_code = " It brings code of its own: --trust-remote-code runs it." if "auto_map" in raw else ""
        raise SourceError(f"transformers has no model_type '{model_type}'.{near}{own_code}")
    if "vocab_size" in raw or model_type in auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES:
        return "text"
    raise SourceError(
        f"A {model_type} is no encoder of images, text or audio that gives one embedding an item."
    )


def build_transformers(config: Mapping[str, Any], model: nn.Module | None = None) -> nn.Module:
    """Return the network of a source configuration: around a loaded model, or with fresh weights.

    Args:
        config: as `transformers_config` gives it.
        model: the loaded model; None: a fresh one.

    Raises:
        SourceError: an audio architecture whose front end is not known.
    """
    if config["modality"] == "text" and config["pooling"]["modes"] == [standard.MODE]:
        return standard.standard_network(config)
    model = fresh_model(config) if model is None else model
    if config["modality"] == "text":
        pooling = config["pooling"]
        dense = dense_layers(pooling.get("dense", []))
        return TextNetwork(model, tuple(pooling["modes"]), bool(pooling["normalise"]), dense)
    if config["modality"] == "image":
        return HubImageNetwork(model)
    model_type = config["config"]["model_type"]
    if model_type == "whisper":
        from headstart.sources.whisper import WhisperNetwork

        return WhisperNetwork(model, config["processor"])
    if model_type in WAV2VEC2_FAMILY:
        from headstart.sources.wav2vec2 import Wav2Vec2Network

        return Wav2Vec2Network(model, config["processor"])
    if model_type == "audio-spectrogram-transformer":
        from headstart.sources.spectrogram_transformer import SpectrogramTransformerNetwork

        return SpectrogramTransformerNetwork(model, config["processor"])
    known = ", ".join((*WAV2VEC2_FAMILY, "whisper", "audio-spectrogram-transformer"))
    raise SourceError(f"Audio sources of transformers are {known}; {model_type} is not among them.")


def fresh_model(config: Mapping[str, Any]) -> nn.Module:
    """Return the model of a source configuration with fresh weights.

    Raises:
        SourceError: its class is defined by code that came with its weights.
    """
    if config.get("remote_code"):
        raise SourceError(
            f"{config['architecture']} is defined by code of its own repository: it cannot be built here."
        )
    model_class, own, options = _model_class(config)
    build = getattr(model_class, "_from_config", model_class)
    with _silence():
        model: nn.Module = build(own, **options)
    return model


def load_model(config: Mapping[str, Any], folder: Path, files: Sequence[Path]) -> nn.Module:
    """Return the model of a folder with its weights, float32, in eval mode.

    Args:
        config: as `transformers_config` gives it.
        folder: the folder.
        files: its weight files.

    Raises:
        SourceError: tensors are missing, left over or of another shape.
    """
    model_class, own, options = _model_class(config)
    if config["config"]["model_type"] == "whisper":
        from headstart.sources.whisper import encoder_tensors

        encoder: nn.Module = model_class(own)
        load_tensors(encoder, encoder_tensors(read_weights(files)), str(folder))
        return encoder.eval()
    usual = all(path.name.startswith(("model", "pytorch_model")) for path in files)
    place = (str(folder), None) if usual else (None, read_weights(files))
    with _silence():
        model, info = model_class.from_pretrained(
            place[0],
            config=own,
            state_dict=place[1],
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
    names = tensor_names(files)
    missing = sorted(name for name in info["missing_keys"] if not name.endswith(_UNUSED))
    left_over = sorted(name for name in info["unexpected_keys"] if not _is_head(name, model, names))
    misfits = sorted(
        f"{name} {tuple(found)} for {tuple(wanted)}"
        for name, found, wanted in info["mismatched_keys"]
        if not name.endswith(_UNUSED)
    )
    if missing or left_over or misfits:
        raise SourceError(misfit_message(str(folder), type(model).__name__, missing, left_over, misfits))
    network: nn.Module = model.eval()
    return network


def load_remote_code(folder: Path) -> nn.Module:
    """Return a model whose class is defined by code in its folder; called only on the user's own word."""
    from transformers import AutoModel

    with _silence():
        model: nn.Module = AutoModel.from_pretrained(
            str(folder), dtype=torch.float32, local_files_only=True, trust_remote_code=True
        )
    return model.eval()


def library_config(config: Mapping[str, Any]) -> Any:
    """Return the library's own configuration object of a source configuration."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    left_out = ("model_type", "torch_dtype", "dtype")
    raw = {key: value for key, value in config["config"].items() if key not in left_out}
    model_type = str(config["config"]["model_type"])
    if model_type in WAV2VEC2_FAMILY:
        raw["layerdrop"] = 0.0  # layers left out by chance would make the depth of a stage a matter of luck
    return CONFIG_MAPPING[model_type](**raw)


def _model_class(config: Mapping[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """The class, its configuration object, and how to build it."""
    from transformers.models.auto import modeling_auto as auto

    model_type = str(config["config"]["model_type"])
    own = library_config(config)
    if model_type == "whisper":
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        return WhisperEncoder, own, {}
    mapping = auto.MODEL_MAPPING
    if config["modality"] == "text" and getattr(own, "is_encoder_decoder", False):
        if model_type not in auto.MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES:
            raise SourceError(
                f"{config['architecture']} has a decoder; only its encoder could be used, alone."
            )
        mapping = auto.MODEL_FOR_TEXT_ENCODING_MAPPING
    model_class = mapping[type(own)]
    takes = "add_pooling_layer" in inspect.signature(model_class.__init__).parameters
    return model_class, own, {} if config["pooler"] or not takes else {"add_pooling_layer": False}


def _pooler_has_weights(config: Mapping[str, Any]) -> bool:
    """Whether the class's own pooler is learned; Swin's or ResNet's is a mean without weights."""
    model_class, own, _ = _model_class({**config, "pooler": True})
    with _silence(), torch.device("meta"):
        names = model_class(own).state_dict()
    return any(name.startswith("pooler.") for name in names)


def _is_head(name: str, model: Any, names: Sequence[str]) -> bool:
    """Whether a left-over tensor belongs to an upstream head or an unused pooler."""
    prefix = f"{getattr(model, 'base_model_prefix', '')}."
    if name.endswith(_UNUSED):
        return True
    if len(prefix) > 1 and any(other.startswith(prefix) for other in names):
        if not name.startswith(prefix) and name in names:
            return True
        name = name.removeprefix(prefix)
    return name.startswith((*_HEADS, *_HEADS_ALSO))


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the library's bars and reports off the screen: what matters is told as an error of ours."""
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
