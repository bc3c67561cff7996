"""Image sources of timm: a checkpoint folder with timm's config.json, or a name fetched from the hub.

A timm name alone does not fix the network: padding, patch size and the like come from `model_args`, and mean,
deviation, size, interpolation and crop from `pretrained_cfg`. Both are read from config.json; the upstream
classifier is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from headstart.data.preprocessing import ImagePreprocessing
from headstart.errors import SourceError, did_you_mean
from headstart.sources.networks import ImageNetwork
from headstart.sources.processors import crop_mode, three


def timm_config(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source configuration of a timm config.json.

    Args:
        raw: with `architecture`, and mostly `model_args` and `pretrained_cfg`.
    """
    own = {**raw, **raw.get("pretrained_cfg", {})}
    architecture = str(raw["architecture"]).partition(".")[0]
    check_timm_name(architecture)
    return {
        "library": "timm",
        "modality": "image",
        "architecture": architecture,
        "model_args": dict(raw.get("model_args") or {}),
        "preprocessing": timm_preprocessing(own, architecture).to_json(),
        "heads": head_names(own),
    }


def timm_preprocessing(own: Mapping[str, Any], architecture: str) -> ImagePreprocessing:
    """Return what a timm pretrained_cfg tells of size, crop, interpolation, mean and deviation.

    Raises:
        SourceError: a value that decides the result is not told.
    """
    missing = [key for key in ("input_size", "mean", "std") if key not in own]
    if missing:
        raise SourceError(
            f"The configuration of {architecture} does not tell {', '.join(missing)}: "
            "add them to pretrained_cfg in its config.json."
        )
    _, height, width = own["input_size"]
    return ImagePreprocessing(
        size=(int(height), int(width)),
        mean=three(own["mean"]),
        std=three(own["std"]),
        interpolation=str(own.get("interpolation", "bilinear")),
        crop_pct=float(own.get("crop_pct") or 0.875),
        crop_mode=crop_mode(own.get("crop_mode")),
    )


def build_timm(config: Mapping[str, Any]) -> ImageNetwork:
    """Return the network of a timm source configuration, with fresh weights and no classifier."""
    import timm

    check_timm_name(config["architecture"])
    model_args = {key: value for key, value in config["model_args"].items() if key != "num_classes"}
    try:
        model = timm.create_model(config["architecture"], pretrained=False, num_classes=0, **model_args)
    except (TypeError, ValueError, RuntimeError) as error:
        raise SourceError(f"timm cannot build {config['architecture']} with {model_args}: {error}") from None
    return ImageNetwork(model)


def timm_tensors(network: ImageNetwork, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return tensors by timm's present names, through the architecture's own filter where they are not.

    transformers' wrapper of timm puts `timm_model.` in front of them.
    """
    if any(name.startswith("timm_model.") for name in tensors):
        tensors = {
            name.removeprefix("timm_model."): value
            for name, value in tensors.items()
            if name.startswith("timm_model.")
        }
    wanted = network.model.state_dict()
    fits = all(name in tensors and tensors[name].shape == wanted[name].shape for name in wanted)
    adapt = getattr(sys.modules[type(network.model).__module__], "checkpoint_filter_fn", None)
    if fits or adapt is None:
        return tensors
    try:
        adapted: Mapping[str, Tensor] = adapt(dict(tensors), network.model)
    except Exception:  # the filter expects one of the layouts it knows; the plain mismatch says more
        return tensors
    return adapted


def head_names(own: Mapping[str, Any]) -> list[str]:
    """Return the name prefixes of the upstream classifier, as timm's pretrained_cfg names its layers."""
    classifier = own.get("classifier") or ()
    layers = [classifier] if isinstance(classifier, str) else list(classifier)
    return [f"{layer}." for layer in layers]


def check_timm_name(architecture: str) -> None:
    """Refuse a name that timm does not know, with the nearest that it does.

    Raises:
        SourceError: with a suggestion.
    """
    import timm

    if not timm.is_model(architecture):
        near = did_you_mean(architecture, timm.list_models())
        raise SourceError(f"timm has no architecture '{architecture}'.{near}")


def raw_config(arch: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config.json's content for a plain state dict of a named architecture.

    Args:
        arch: a timm name, with or without its tag.
        raw: what the folder's config.json tells besides, if anything; it wins over timm's own defaults.
    """
    import timm

    architecture = arch.partition(".")[0]
    check_timm_name(architecture)
    known = timm.get_pretrained_cfg(arch) or timm.get_pretrained_cfg(architecture)
    own = known.to_dict() if known is not None else {}
    return {**raw, "architecture": architecture, "pretrained_cfg": {**own, **raw.get("pretrained_cfg", {})}}
