"""Sources of the user's own class: `--arch FILE:Class`, where `Class(config: dict) -> nn.Module`.

Optional attributes of the class: `stages` (names, or name to path), `preprocessing`, `sampling_rate`,
`modality`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from torch import nn

from headstart.backbone import find_stages
from headstart.data.examples import Modality
from headstart.data.preprocessing import (
    AudioPreprocessing,
    ImagePreprocessing,
    Preprocessing,
    TextPreprocessing,
    preprocessing_from_json,
)
from headstart.errors import OptionError, SourceError
from headstart.sources.library import Opened, Request
from headstart.sources.library_timm import timm_preprocessing
from headstart.sources.own_class import modality_of_class, own_class, own_file
from headstart.sources.own_network import OWN_NETWORKS, OwnNetwork, named_stages
from headstart.sources.place import Place
from headstart.sources.source import Source
from headstart.sources.transformers.sentence import text_preprocessing
from headstart.sources.upstream import NoClassifier, Upstream
from headstart.sources.weights import load_tensors, read_weights

NAME = "custom"
# The only classes that a configuration may name without `--arch`.
_SHIPPED = (
    "headstart.bundled.network:LettersNet",
    *(f"headstart.evidence.classical_network:{name}" for name in ("Histograms", "LogMel", "TfIdf")),
)
_USUAL_HEADS = ("classifier", "fc", "head", "heads", "linear", "last_linear", "logits", "output")


def recognises(raw: Mapping[str, Any], arch: str | None) -> bool:
    """Whether the user names a class, or the folder's config.json does."""
    return (arch is not None and ":" in arch) or raw.get("library") == NAME


def modality_of(raw: Mapping[str, Any]) -> Modality | None:
    """Return the modality that a config.json names; None if it names none.

    Raises:
        SourceError: it is not one of the three.
    """
    found = raw.get("modality")
    if found is not None and found not in get_args(Modality):
        raise SourceError(f"modality must be one of {', '.join(get_args(Modality))}, got {found!r}.")
    return found


def open_source(place: Place, request: Request) -> Opened:
    """Return the configuration of the user's own class and its network with its weights.

    Raises:
        SourceError: the class cannot be imported or built, or the weights do not fit it; or the folder alone
            names it.
    """
    arch = _allowed(request.arch, place.raw.get("architecture"))
    config = own_config(arch, place.raw, request.modality)
    network = _built(config, arch)
    config["preprocessing"] = own_preprocessing(network.model, place, config["modality"]).to_json()
    own = network.model
    load_tensors(own, read_weights(place.files), str(place.files[0]), heads=absent_heads(own))
    return Opened(config, network)


def build(config: Mapping[str, Any], arch: str | None = None) -> OwnNetwork:
    """Return the network of the user's own class for a source configuration, with random weights.

    Args:
        config: `config` is what the class takes.
        arch: as the user gave it; None is allowed only if the class ships with headstart.

    Raises:
        SourceError: the class was not given, or cannot be built from its configuration.
    """
    return _built(config, _allowed(arch, config.get("architecture")))


def _allowed(arch: str | None, named: Any) -> str:
    """What the user names; what a file names only if it ships with headstart.

    Raises:
        SourceError: a file alone names it.
    """
    if arch is not None:
        return arch
    if named not in _SHIPPED:
        raise SourceError(
            f"This source is a network of the user's own class ({named}): its code is run only if you "
            f"name it again. Pass --arch {named}."
        )
    return str(named)


def _built(config: Mapping[str, Any], arch: str) -> OwnNetwork:
    own, given = own_class(arch), dict(config["config"])
    try:
        model = own(given)
    except Exception as error:
        raise SourceError(
            f"{arch} cannot be built from its configuration: {type(error).__name__}: {error}"
        ) from error
    modality: Modality = config["modality"]
    return OWN_NETWORKS[modality](model, modality)


def stages(network: nn.Module) -> dict[str, str]:
    """Return the stages that the user's own module names; if it names none, those that are found in it."""
    own = named_stages(network) if isinstance(network, OwnNetwork) else {}
    return own or find_stages(network)


def upstream_classifier(place: Place, request: Request, network: nn.Module) -> Upstream:
    """Return why there is none: a class of the user's own may have any classifier, or none."""
    return NoClassifier("it is a network of the user's own class, whose classifier is not known")


def with_standard_head(source: Source) -> Source:
    """Refuse: no class of a library has a head for a network of the user's own.

    Raises:
        OptionError: always.
    """
    raise OptionError(
        f"{source.uri} is a network of the user's own class: it has no standard head (--head auto)."
    )


def own_config(arch: str, raw: Mapping[str, Any], modality: Modality | None) -> dict[str, Any]:
    """Return the source configuration of the user's own class, without its preprocessing.

    Args:
        arch: FILE:Class or module:Class.
        raw: the folder's config.json, given to the class; {} for a bare weight file.
        modality: of the data at hand, used if the class does not name its own.
    """
    own = own_class(arch)
    return {
        "library": NAME,
        "modality": modality_of(raw) or modality_of_class(own, arch, modality),
        "architecture": arch,
        "architecture_file": own_file(arch),
        "config": dict(raw),
    }


def own_preprocessing(own: Any, place: Place, modality: Modality) -> Preprocessing:
    """Return the preprocessing that the user's own network, or its folder, gives.

    Args:
        own: the user's module.
        place: its folder and config.json.
        modality: of its inputs.

    Raises:
        SourceError: neither gives it.
    """
    raw = place.raw
    given: Any = getattr(own, "preprocessing", None) or raw.get("preprocessing")
    if isinstance(given, ImagePreprocessing | TextPreprocessing | AudioPreprocessing):
        return given
    if isinstance(given, Mapping):
        return preprocessing_from_json({"modality": modality, **given})
    if modality == "audio":
        rate_hz = getattr(own, "sampling_rate", None) or raw.get("sampling_rate") or raw.get("sample_rate")
        if rate_hz:
            return AudioPreprocessing(rate_hz=int(rate_hz))
        raise SourceError(
            "An audio network of your own needs its sampling rate: give the class `sampling_rate = 16000`."
        )
    own_values = {**raw, **dict(raw.get("pretrained_cfg") or {})}
    if modality == "image" and {"input_size", "mean", "std"} <= own_values.keys():
        return timm_preprocessing({"crop_pct": 1.0, **own_values}, "your own network")
    if modality == "text" and (place.folder / "tokenizer.json").is_file():
        return text_preprocessing(place.folder, raw)
    wanted = {
        "image": "put input_size, mean and std into its config.json",
        "text": "put tokenizer.json beside its weights",
    }
    raise SourceError(
        f"A network of your own for {modality} needs its preprocessing: give the class an attribute "
        f"`preprocessing`, or {wanted[modality]}."
    )


def absent_heads(model: nn.Module) -> list[str]:
    """Return the prefixes of usual classifiers that the user's module lacks: weights of them are left out."""
    return [f"{name}." for name in _USUAL_HEADS if not hasattr(model, name)]
