"""Models of transformers: built from their configuration, or loaded from a folder and checked.

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
from torch import Tensor, nn

from headstart.errors import SourceError
from headstart.sources.json_files import read_object
from headstart.sources.transformers.whisper import encoder_tensors
from headstart.sources.weights import load_tensors, misfit_message, read_weights

WAV2VEC2_FAMILY = ("wav2vec2", "hubert", "wavlm", "data2vec-audio")
# Tensors of upstream heads, if the names do not show the base model; and two that are not needed for an embedding.
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
# Keys of config.json by which the library reads further files, fetches a network or runs a fetched kernel.
_REFUSED = (
    "quantization_config",
    "transformers_weights",
    "fusion_config",
    "distributed_config",
    "kernel_config",
    "use_kernels",
    "backbone",
    "use_timm_backbone",
    "use_pretrained_backbone",
    "checkpoint_path",
)
_IMPLEMENTATIONS = ("attn_implementation", "experts_implementation")
_BUILT_IN = (None, "eager", "sdpa")
_UNUSED = ("masked_spec_embed", "position_ids")


def model_with_random_weights(config: Mapping[str, Any]) -> nn.Module:
    """Return the model of a source configuration with random weights.

    Raises:
        SourceError: its class is defined by code that came with its weights.
    """
    if config.get("remote_code"):
        raise SourceError(
            f"{config['architecture']} is defined by code of its own repository and cannot be built without it."
        )
    model_class, own, options = _model_class(config)
    build = getattr(model_class, "_from_config", model_class)
    with silence():
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
    tensors = read_weights(files)
    if config["config"]["model_type"] == "whisper":
        encoder: nn.Module = model_class(own)
        load_tensors(encoder, encoder_tensors(tensors), str(folder))
        return encoder.eval()
    names = list(tensors)
    model, info = _from_pretrained(model_class, own, tensors, **options)
    left_over = sorted(name for name in info["unexpected_keys"] if not _is_head(name, model, names))
    _check_fit(model, folder, info, left_over)
    network: nn.Module = model.eval()
    return network


def load_with_head(model_class: Any, raw: Mapping[str, Any], folder: Path, files: Sequence[Path]) -> Any:
    """Return a model of transformers with the head of its own class, float32, in eval mode.

    Args:
        model_class: a class with a head, such as ViTForImageClassification.
        raw: the folder's config.json.
        folder: the folder.
        files: its weight files.

    Raises:
        SourceError: tensors are missing or of another shape, those of the head too.
    """
    model, info = _from_pretrained(model_class, library_config({"config": raw}), read_weights(files))
    _check_fit(model, folder, info, [])
    return model.eval()


def load_remote_code(folder: Path) -> nn.Module:
    """Return a model whose class is defined by code in its folder; called only if the user asks for it."""
    from transformers import AutoModel

    check_configuration(read_object(folder / "config.json"))
    with silence():
        model: nn.Module = AutoModel.from_pretrained(
            str(folder), dtype=torch.float32, local_files_only=True, trust_remote_code=True
        )
    return model.eval()


def _from_pretrained(
    model_class: Any, own: Any, tensors: dict[str, Tensor], **options: Any
) -> tuple[Any, Mapping[str, Any]]:
    """A model that the library fills with tensors, and what it says about them.

    The library gets the tensors, not the folder, from which it would also read files that the source's digest
    does not cover: an adapter, or weights that config.json names.
    """
    with silence():
        model, info = model_class.from_pretrained(
            None,
            config=own,
            state_dict=tensors,
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
    return model, info


def _check_fit(model: Any, folder: Path, info: Mapping[str, Any], left_over: Sequence[str]) -> None:
    missing = sorted(name for name in info["missing_keys"] if not name.endswith(_UNUSED))
    misfits = sorted(
        f"{name} {tuple(found)} for {tuple(wanted)}"
        for name, found, wanted in info["mismatched_keys"]
        if not name.endswith(_UNUSED)
    )
    if missing or left_over or misfits:
        raise SourceError(misfit_message(str(folder), type(model).__name__, missing, left_over, misfits))


def library_config(config: Mapping[str, Any]) -> Any:
    """Return the library's own configuration object of a source configuration.

    Raises:
        SourceError: it asks for what is not in its folder, or there is no such model_type.
    """
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    check_configuration(config["config"])
    left_out = ("model_type", "torch_dtype", "dtype")
    raw = {key: value for key, value in config["config"].items() if key not in left_out}
    model_type = str(config["config"]["model_type"])
    if model_type in WAV2VEC2_FAMILY:
        raw["layerdrop"] = 0.0  # layers left out at random would make the depth of a stage random
    return CONFIG_MAPPING[model_type](**raw)


def check_configuration(raw: Any) -> None:
    """Refuse a config.json that lets the library fetch something, run a kernel or open another file.

    Args:
        raw: its content, or a part of it.

    Raises:
        SourceError: the message names the key.
    """
    if isinstance(raw, list):
        for part in raw:
            check_configuration(part)
    if not isinstance(raw, Mapping):
        return
    for key, value in raw.items():
        chosen = key.strip("_").removesuffix("_internal") in _IMPLEMENTATIONS and value not in _BUILT_IN
        wraps = key == "model_type" and str(value).startswith("timm")
        if chosen or wraps or (key in _REFUSED and value):
            raise SourceError(
                f"config.json has {key!r}: {str(value)[:80]!r}, which is not supported: weights come from the "
                "source's own files, in full precision, and run in PyTorch's own kernels. Remove it if the network "
                "is complete without it."
            )
        check_configuration(value)


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


def pooler_has_weights(config: Mapping[str, Any]) -> bool:
    """Whether the class's own pooler is learned; Swin's or ResNet's is a mean without weights."""
    model_class, own, _ = _model_class({**config, "pooler": True})
    with silence(), torch.device("meta"):
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
def silence() -> Iterator[None]:
    """Hide the library's progress bars and reports: problems are reported as errors of headstart."""
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
