"""One's own network: `--arch FILE:Class`, where `Class(config: dict) -> nn.Module`.

Its `forward` takes normalised pixels, token ids (and mask), or a mono waveform (and the clips' lengths), its
front end inside. Optional attributes: `stages` (names, or name to path), `preprocessing`, `sampling_rate`.
Only the file that the user names is run.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from headstart.data.examples import Modality
from headstart.data.preprocessing import (
    AudioPreprocessing,
    ImagePreprocessing,
    Preprocessing,
    TextPreprocessing,
    preprocessing_from_json,
)
from headstart.errors import SourceError, did_you_mean
from headstart.sources.networks import mean_over_frames
from headstart.sources.place import Place
from headstart.sources.sentence import text_preprocessing
from headstart.sources.timm_images import timm_preprocessing


class OwnNetwork(nn.Module):
    """One's own module with the inputs and the output that every source's network has.

    Args:
        model: one's own module.
        modality: which inputs it takes.
    """

    def __init__(self, model: nn.Module, modality: Modality) -> None:
        super().__init__()
        self.model = model
        self.modality = modality
        parameters = inspect.signature(model.forward).parameters.values()
        if hasattr(model, "own_positions"):
            self.own_positions = model.own_positions
        self.takes_two = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters) > 1

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the embedding, of shape (N, D)."""
        output: Any = self.model(first, second) if self.takes_two else self.model(first)
        return as_embedding(output, self.modality, second, first.shape[1])


class OwnImageNetwork(OwnNetwork):
    """One's own module on pixels."""

    def forward(self, pixels: Tensor) -> Tensor:  # type: ignore[override]
        """Return the embedding, of shape (N, D), of normalised pixels of shape (N, 3, H, W)."""
        return as_embedding(self.model(pixels), "image", None, 0)


class OwnTextNetwork(OwnNetwork):
    """One's own module on tokens."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the embedding, of shape (N, D), of int64 tokens and mask of shape (N, T)."""
        return super().forward(input_ids, attention_mask)


class OwnAudioNetwork(OwnNetwork):
    """One's own module on waveforms."""

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Return the embedding, of shape (N, D), of waveforms of shape (N, L) with `lengths` own samples."""
        return super().forward(waveform, lengths)


_USUAL_HEADS = ("classifier", "fc", "head", "heads", "linear", "last_linear", "logits", "output")
_NETWORKS: Mapping[str, type[OwnNetwork]] = {
    "image": OwnImageNetwork,
    "text": OwnTextNetwork,
    "audio": OwnAudioNetwork,
}


def as_embedding(output: Any, modality: Modality, own: Tensor | None, n_samples: int) -> Tensor:
    """Return one vector an item of whatever a module gives: maps and sequences are averaged.

    Args:
        output: a tensor of shape (N, D), (N, C, H, W) or (N, T, D), or a tuple or mapping beginning with one.
        modality: decides which positions are an item's own.
        own: attention mask (text) or lengths (audio).
        n_samples: samples of the window (audio).
    """
    while not isinstance(output, Tensor):
        output = next(iter(output.values())) if isinstance(output, Mapping) else output[0]
    if output.dim() == 4:
        return output.mean((2, 3))
    if output.dim() == 3 and own is not None:
        n_frames = output.shape[1]
        n_own = own.sum(1) if modality == "text" else -(-n_frames * own // n_samples)
        return mean_over_frames(output, n_own.clamp(min=1))
    return output.mean(1) if output.dim() == 3 else output


def own_class(arch: str) -> type[nn.Module]:
    """Return the class that `--arch FILE:Class` or `module:Class` names; the file is run.

    Raises:
        SourceError: no such file, module or class.
    """
    place, _, name = arch.rpartition(":")
    if not place or not name:
        raise SourceError(f"--arch must be FILE:Class or module:Class, got '{arch}'.")
    module = _module_of_file(Path(place)) if place.endswith(".py") else _module_named(place)
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        classes = [
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, nn.Module)
        ]
        near = did_you_mean(name, classes) or (f" It has {', '.join(classes)}." if classes else "")
        raise SourceError(f"{place} has no network class '{name}'.{near}")
    return found


def build_own(config: Mapping[str, Any], arch: str | None) -> OwnNetwork:
    """Return the network of a custom source configuration, with fresh weights.

    Args:
        config: `config` is what the class takes.
        arch: as the user gave it; None only where the class is headstart's own.

    Raises:
        SourceError: the class was not given, or cannot be built from its configuration.
    """
    architecture = str(config["architecture"])
    if arch is None and not architecture.startswith("headstart.bundled."):
        raise SourceError(
            f"This source is a network of one's own ({architecture}): nothing of it is run unless it is "
            f"named again. Pass --arch {architecture}."
        )
    own = own_class(arch or architecture)
    try:
        model = own(dict(config["config"]))
    except Exception as error:
        raise SourceError(
            f"{arch or architecture} cannot be built from its configuration: {type(error).__name__}: {error}"
        ) from error
    return _NETWORKS[config["modality"]](model, cast(Modality, config["modality"]))


def own_config(arch: str, raw: Mapping[str, Any], modality: Modality | None) -> dict[str, Any]:
    """Return the source configuration of one's own network.

    Args:
        arch: FILE:Class or module:Class.
        raw: the folder's config.json, given to the class; {} for a bare weight file.
        modality: of the data at hand, where the class does not tell its own.
    """
    own = own_class(arch)
    place = Path(arch.rpartition(":")[0])
    return {
        "library": "custom",
        "modality": raw.get("modality") or modality_of_class(own, arch, modality),
        "architecture": arch,
        "architecture_file": str(place.resolve()) if place.is_file() else None,
        "architecture_sha256": hashlib.sha256(place.read_bytes()).hexdigest() if place.is_file() else None,
        "config": dict(raw),
    }


def own_preprocessing(own: Any, place: Place, modality: Modality) -> Preprocessing:
    """Return the preprocessing that one's own network (an instance) or its folder tells.

    Args:
        own: the network.
        place: its folder and config.json.
        modality: of its inputs.

    Raises:
        SourceError: neither tells it.
    """
    raw = place.raw
    told: Any = getattr(own, "preprocessing", None) or raw.get("preprocessing")
    if isinstance(told, ImagePreprocessing | TextPreprocessing | AudioPreprocessing):
        return told
    if isinstance(told, Mapping):
        return preprocessing_from_json({"modality": modality, **told})
    if modality == "audio":
        rate_hz = getattr(own, "sampling_rate", None) or raw.get("sampling_rate") or raw.get("sample_rate")
        if rate_hz:
            return AudioPreprocessing(rate_hz=int(rate_hz))
        raise SourceError(
            "One's own audio network must tell its rate: give the class `sampling_rate = 16000`."
        )
    own_values = {**raw, **dict(raw.get("pretrained_cfg") or {})}
    if modality == "image" and {"input_size", "mean", "std"} <= own_values.keys():
        return timm_preprocessing({"crop_pct": 1.0, **own_values}, "one's own network")
    if modality == "text" and (place.folder / "tokenizer.json").is_file():
        return text_preprocessing(place.folder, raw)
    wanted = {
        "image": "put input_size, mean and std into its config.json",
        "text": "put tokenizer.json beside its weights",
    }
    raise SourceError(
        f"One's own {modality} network must tell its preprocessing: give the class an attribute "
        f"`preprocessing`, or {wanted[modality]}."
    )


def absent_heads(model: nn.Module) -> list[str]:
    """Return the prefixes of usual classifiers that one's own module lacks: they are left out in silence."""
    return [f"{name}." for name in _USUAL_HEADS if not hasattr(model, name)]


def stages_of_own(network: OwnNetwork) -> dict[str, str]:
    """Return the stages that one's own module names, with their paths in the network; {} if none."""
    told: Any = getattr(network.model, "stages", None)
    if callable(told):
        told = told()
    if not told or isinstance(told, nn.Module):
        return {}
    pairs = told.items() if isinstance(told, Mapping) else ((name, name) for name in told)
    return {str(name): f"model.{path}" for name, path in pairs}


def modality_of_class(own: type[nn.Module], arch: str, of_data: Modality | None = None) -> Modality:
    """Return the modality that a class tells by its attributes, else the data's, else by its first input.

    Raises:
        SourceError: it tells none.
    """
    told = getattr(own, "modality", None)
    if told in ("image", "text", "audio"):
        return cast(Modality, told)
    if hasattr(own, "sampling_rate"):
        return "audio"
    if of_data is not None:
        return of_data
    names = [name for name in inspect.signature(own.forward).parameters if name != "self"]
    first = names[0] if names else ""
    for modality, words in _INPUT_WORDS.items():
        if first in words:
            return modality
    raise SourceError(
        f'{arch} does not tell its modality: give the class `modality = "image"` (or "text", "audio"), '
        "or name its first input pixels, input_ids or waveform."
    )


_INPUT_WORDS: Mapping[Modality, tuple[str, ...]] = {
    "image": ("pixels", "pixel_values", "image", "images", "x"),
    "text": ("input_ids", "tokens", "ids"),
    "audio": ("waveform", "waveforms", "audio", "input_values", "samples"),
}


def _module_of_file(path: Path) -> Any:
    if not path.is_file():
        raise SourceError(f"--arch names {path}, which is not there.")
    name = f"_headstart_arch_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SourceError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise SourceError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    return module


def _module_named(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SourceError(f"--arch names the module {name}, which cannot be imported: {error}") from None
