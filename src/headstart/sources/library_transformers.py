"""Sources of transformers: a folder with config.json, weights and a tokenizer, image or audio processor."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from headstart.backbone import find_stages
from headstart.data.examples import Modality
from headstart.errors import SourceError, did_you_mean, parsing
from headstart.sources.json_files import read_object
from headstart.sources.library import Opened, Request
from headstart.sources.place import Place
from headstart.sources.processors import audio_preprocessing, image_preprocessing, values_of
from headstart.sources.source import Source
from headstart.sources.transformers import class_pooling, models
from headstart.sources.transformers.encoders import HubImageNetwork, TextNetwork
from headstart.sources.transformers.sentence import dense_folders, dense_layers, text_settings
from headstart.sources.transformers.spectrogram_transformer import SpectrogramTransformerNetwork
from headstart.sources.transformers.upstream_head import read_classifier
from headstart.sources.transformers.wav2vec2 import Wav2Vec2Network
from headstart.sources.transformers.whisper import WhisperNetwork
from headstart.sources.upstream import Upstream
from headstart.sources.weights import load_tensors, read_weights, tensor_names, weight_files

NAME = "transformers"
_VISION = ("_vision_model", "vit_mae")  # towers without a classifier of their own
_AUDIO_NETWORKS: Mapping[str, Callable[[Any, Mapping[str, Any]], nn.Module]] = {
    **dict.fromkeys(models.WAV2VEC2_FAMILY, Wav2Vec2Network),
    "whisper": WhisperNetwork,
    "audio-spectrogram-transformer": SpectrogramTransformerNetwork,
}
# What transformers calls its list of layers, by architecture; users know them as layer.0, layer.1, ...
_LIST_OF_LAYERS = re.compile(r"^(layers|blocks|block|h)\.(?=\d+$)")


def recognises(raw: Mapping[str, Any], arch: str | None) -> bool:
    """Whether a config.json is of transformers."""
    return "model_type" in raw


def modality_of(raw: Mapping[str, Any]) -> Modality:
    """Return the modality of a model of transformers, from its config.json.

    Raises:
        SourceError: transformers has no such model_type, or one that is not for text, images or audio.
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
        f"A {model_type} is not an encoder of images, text or audio that gives one embedding per item."
    )


def open_source(place: Place, request: Request) -> Opened:
    """Return the configuration of a folder of transformers and its network with its weights.

    Raises:
        SourceError: the architecture is not supported, or the weights do not fit it.
    """
    if (place.folder / "adapter_config.json").is_file():
        raise SourceError(
            f"{place.folder} holds an adapter (adapter_config.json), which is not applied: merge it into the "
            "weights (merge_and_unload of peft), or remove its files."
        )
    remote = request.trust_remote_code and "auto_map" in place.raw
    config = transformers_config(place.folder, place.raw, place.files, remote_code=remote)
    if remote:
        read_weights(place.files)  # refuses a pickle with code before the library opens it
        model = models.load_remote_code(place.folder)
    else:
        model = models.load_model(config, place.folder, place.files)
    network = network_of(config, model)
    steps = [weight_files(folder) for folder in dense_folders(place.folder)]
    for index, files in enumerate(steps):
        own = {name.removeprefix("linear."): value for name, value in read_weights(files).items()}
        load_tensors(network.get_submodule(f"dense.{2 * index}"), own, str(files[0]))
    return Opened(config, network, tuple(file for files in steps for file in files))


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
        SourceError: the architecture does not give one embedding per item.
    """
    model_type = str(raw.get("model_type", ""))
    modality: Modality = "text" if remote_code else modality_of(raw)
    config: dict[str, Any] = {
        "library": NAME,
        "modality": modality,
        "architecture": (raw.get("architectures") or [model_type])[0],
        "config": dict(raw),
        "pooler": False,
        "remote_code": remote_code,
    }
    if modality == "text":
        with values_of(folder):
            return {**config, **text_settings(folder, raw)}
    path = folder / "preprocessor_config.json"
    processor = read_object(path)
    audio = modality == "audio"
    read, what = (
        (audio_preprocessing, "a feature extractor") if audio else (image_preprocessing, "an image processor")
    )
    if modality == "image":
        names = tensor_names(files)
        config["pooler"] = any("pooler." in name for name in names) or not models.pooler_has_weights(config)
    with values_of(path), parsing(path, what, "correct it, or fetch it again", SourceError):
        values = read(processor, folder).to_json()
    return {**config, "processor": processor, "preprocessing": values}


def build(config: Mapping[str, Any], arch: str | None = None) -> nn.Module:
    """Return the network of a source configuration, with random weights."""
    if config["modality"] == "text" and config["pooling"]["modes"] == [class_pooling.MODE]:
        return class_pooling.standard_network(config)
    return network_of(config, models.model_with_random_weights(config))


def network_of(config: Mapping[str, Any], model: nn.Module) -> nn.Module:
    """Return the network of a source configuration around a model of transformers.

    Args:
        config: as `transformers_config` gives it.
        model: with its weights, or random ones.

    Raises:
        SourceError: an audio architecture whose front end is not known.
    """
    if config["modality"] == "text":
        pooling = config["pooling"]
        dense = dense_layers(pooling.get("dense", []))
        return TextNetwork(model, tuple(pooling["modes"]), bool(pooling["normalise"]), dense)
    if config["modality"] == "image":
        return HubImageNetwork(model)
    model_type = str(config["config"]["model_type"])
    if model_type not in _AUDIO_NETWORKS:
        known = ", ".join(_AUDIO_NETWORKS)
        raise SourceError(f"Audio sources of transformers are {known}; {model_type} is not among them.")
    return _AUDIO_NETWORKS[model_type](model, config["processor"])


def stages(network: nn.Module) -> dict[str, str]:
    """Return the stages that the network names, else those that are found in it, as layer.0, layer.1, ..."""
    named = dict(getattr(network, "stages", {}))
    if named:
        return named
    return {_LIST_OF_LAYERS.sub("layer.", name): path for name, path in find_stages(network).items()}


def upstream_classifier(place: Place, request: Request, network: nn.Module) -> Upstream:
    """Return the classifier of a checkpoint for image, audio or sequence classification."""
    return read_classifier(place, network)


def with_standard_head(source: Source) -> Source:
    """Return a text source that ends in its class's own pooling; others end so already.

    Raises:
        OptionError: transformers has no sequence classifier of this kind.
    """
    if source.modality != "text":
        return source
    network, config = class_pooling.with_class_pooling(source)
    named = {**stages(network), **class_pooling.pooling_stage(network)}
    digest = hashlib.sha256(f"{source.digest} {class_pooling.MODE}".encode()).hexdigest()
    config = {**config, "stages": named}
    return replace(source, network=network, stages=named, digest=digest, config=config)
