"""Image sources of timm: a checkpoint folder with timm's config.json, or a name fetched from the hub.

A timm name alone does not fix the network: padding, patch size and the like come from `model_args`, and mean,
deviation, size, interpolation and crop from `pretrained_cfg`. Both are read from config.json. The upstream
classifier is left out of the network and read on its own when asked for.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from headstart.backbone import find_stages, made_up_inputs
from headstart.data.examples import Modality
from headstart.data.preprocessing import ImagePreprocessing
from headstart.errors import SourceError, did_you_mean
from headstart.sources.library import Opened, Request
from headstart.sources.place import Place
from headstart.sources.processors import crop_mode, three
from headstart.sources.source import Source
from headstart.sources.timm_arguments import model_arguments
from headstart.sources.upstream import NoClassifier, Upstream, class_names, matching_classifier
from headstart.sources.weights import load_tensors, read_weights

NAME = "timm"
_IMAGENET = re.compile(r"in(1|12|21|22)k|imagenet", re.IGNORECASE)


class ImageNetwork(nn.Module):
    """A timm model without its classifier.

    Args:
        model: gives pooled features of shape (N, D) for pixels of shape (N, 3, H, W).
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the pooled features, float32 of shape (N, D), of normalised pixels of shape (N, 3, H, W)."""
        features: Tensor = self.model(pixels)
        return features


def recognises(raw: Mapping[str, Any], arch: str | None) -> bool:
    """Whether a folder is of timm: its config.json names an architecture, or the user does."""
    return arch is not None or "architecture" in raw


def modality_of(raw: Mapping[str, Any]) -> Modality | None:
    """Return the modality of timm's models."""
    return "image"


def open_source(place: Place, request: Request) -> Opened:
    """Return the configuration of a timm folder and its network with its weights.

    Raises:
        SourceError: the architecture is not known, or the weights do not fit it.
    """
    raw = _raw(place, request)
    config = timm_config(raw)
    network = build(config)
    tensors = timm_tensors(network.model, read_weights(place.files))
    load_tensors(network.model, tensors, str(place.files[0]), heads=head_names(_flat(raw)))
    return Opened(config, network)


def timm_config(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source configuration of a timm config.json.

    Args:
        raw: with `architecture`, and mostly `model_args` and `pretrained_cfg`.
    """
    architecture = str(raw["architecture"]).partition(".")[0]
    check_timm_name(architecture)
    return {
        "library": NAME,
        "modality": "image",
        "architecture": architecture,
        "model_args": model_arguments(raw),
        "preprocessing": timm_preprocessing(_flat(raw), architecture).to_json(),
    }


def timm_preprocessing(own: Mapping[str, Any], architecture: str) -> ImagePreprocessing:
    """Return the size, crop, interpolation, mean and deviation of a timm pretrained_cfg.

    Raises:
        SourceError: a value that decides the result is missing.
    """
    missing = [key for key in ("input_size", "mean", "std") if key not in own]
    if missing:
        raise SourceError(
            f"The configuration of {architecture} does not have {', '.join(missing)}: "
            "add them to pretrained_cfg in its config.json."
        )
    _, height, width = own["input_size"]
    return ImagePreprocessing(
        size=(int(height), int(width)),
        mean=three(own["mean"]),
        std=three(own["std"]),
        interpolation=str(own.get("interpolation", "bilinear")),
        crop_pct=0.875 if own.get("crop_pct") is None else float(own["crop_pct"]),
        crop_mode=crop_mode(own.get("crop_mode")),
    )


def build(config: Mapping[str, Any], arch: str | None = None) -> ImageNetwork:
    """Return the network of a timm source configuration, with random weights and without classifier."""
    return ImageNetwork(_model(config, 0))


def stages(network: nn.Module) -> dict[str, str]:
    """Return the stages that are found in a network of timm."""
    return find_stages(network)


def upstream_classifier(place: Place, request: Request, network: nn.Module) -> Upstream:
    """Return the classifier of a timm checkpoint, if it is a layer on the pooled features."""
    try:
        raw = _raw(place, request)
        (layer,) = head_names(_flat(raw))
        tensors = read_weights(place.files)
        weight = next(value for name, value in tensors.items() if name.endswith(f"{layer}weight"))
        whole = _model(timm_config(raw), len(weight))
        load_tensors(whole, timm_tensors(whole, tensors), str(place.files[0]))
    except (SourceError, KeyError, ValueError, StopIteration):
        return NoClassifier("its checkpoint holds no single classifier layer of its architecture")
    pixels = made_up_inputs(network)
    assert isinstance(pixels, Tensor)  # a network of images
    with torch.no_grad():
        embedding, logits = network(pixels), whole.eval()(pixels)
    names = class_names(
        len(weight), place.folder, raw.get("label_names"), _imagenet_names(place, len(weight))
    )
    return matching_classifier(
        embedding, logits, _on_vectors(whole.get_submodule(layer.removesuffix("."))), names
    )


def with_standard_head(source: Source) -> Source:
    """Return the source: timm's models end in their class's own pooling."""
    return source


def hub_repository(name: str) -> tuple[str, str | None]:
    """Return the hub repository of a timm name, and the revision after an @.

    Raises:
        SourceError: timm has no such weights.
    """
    import timm

    name, _, revision = name.partition("@")
    check_timm_name(name.partition(".")[0])
    try:
        known = timm.get_pretrained_cfg(name)
    except RuntimeError:  # timm knows the architecture, not the tag after the dot
        known = None
    if known is None or not known.hf_hub_id:
        architecture = name.partition(".")[0]
        tags = timm.list_pretrained(f"{architecture}.*")
        available = f" timm has {', '.join(tags[:5])}." if tags else " timm has no weights of it on the hub."
        raise SourceError(f"There are no weights 'timm:{name}'.{did_you_mean(name, tags)}{available}")
    return str(known.hf_hub_id), revision or None


def timm_tensors(model: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return tensors by timm's present names, through the architecture's own filter if they have others.

    transformers' wrapper of timm puts `timm_model.` in front of them.

    Args:
        model: of timm, with or without its classifier.
        tensors: of a checkpoint.
    """
    if any(name.startswith("timm_model.") for name in tensors):
        tensors = {
            name.removeprefix("timm_model."): value
            for name, value in tensors.items()
            if name.startswith("timm_model.")
        }
    wanted = model.state_dict()
    fits = all(name in tensors and tensors[name].shape == wanted[name].shape for name in wanted)
    adapt = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if fits or adapt is None:
        return tensors
    try:
        adapted: Mapping[str, Tensor] = adapt(dict(tensors), model)
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
        own = " For a network of your own, name its class: --arch FILE:Class."
        near = did_you_mean(architecture, timm.list_models()) or own
        raise SourceError(f"timm has no architecture '{architecture}'.{near}")


def raw_config(arch: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of config.json for a plain state dict of a named architecture.

    Args:
        arch: a timm name, with or without its tag.
        raw: the folder's own config.json, if any; it overrides timm's defaults.
    """
    import timm

    architecture = arch.partition(".")[0]
    check_timm_name(architecture)
    known = timm.get_pretrained_cfg(arch) or timm.get_pretrained_cfg(architecture)
    own = known.to_dict() if known is not None else {}
    return {**raw, "architecture": architecture, "pretrained_cfg": {**own, **raw.get("pretrained_cfg", {})}}


def _raw(place: Place, request: Request) -> dict[str, Any]:
    return place.raw if request.arch is None else raw_config(request.arch, place.raw)


def _flat(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {**raw, **raw.get("pretrained_cfg", {})}


def _model(config: Mapping[str, Any], n_classes: int) -> nn.Module:
    import timm

    check_timm_name(config["architecture"])
    model_args = model_arguments(config)
    try:
        model: nn.Module = timm.create_model(
            config["architecture"], pretrained=False, num_classes=n_classes, **model_args
        )
    except Exception as error:  # an architecture may raise any error on arguments that it does not take
        raise SourceError(f"timm cannot build {config['architecture']} with {model_args}: {error}") from None
    return model


def _on_vectors(layer: nn.Module) -> Iterator[nn.Module]:
    """A classifier as it takes vectors; some classifiers of timm are convolutions on maps of one pixel."""
    if isinstance(layer, nn.Conv2d):
        yield nn.Sequential(nn.Unflatten(1, (layer.in_channels, 1, 1)), layer, nn.Flatten())
    yield layer


def _imagenet_names(place: Place, n_classes: int) -> list[str] | None:
    """timm's names of the ImageNet classes, if the source's name or tag says that it knows them."""
    from timm.data import ImageNetInfo, infer_imagenet_subset

    subset = infer_imagenet_subset({"num_classes": n_classes})
    tag = f"{place.uri} {_flat(place.raw).get('tag', '')}"
    if subset is None or not _IMAGENET.search(tag):
        return None
    info = ImageNetInfo(subset)
    return [str(info.index_to_description(index)) for index in range(info.num_classes())]
