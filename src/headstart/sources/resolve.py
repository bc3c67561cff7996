"""From a source URI to a `Source`: `timm:NAME`, `hf:REPO[@REVISION]`, a folder, a file, `run:PATH`, `bundled:NAME`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from torch import nn

from headstart.data.examples import Modality
from headstart.data.preprocessing import preprocessing_from_json
from headstart.errors import SourceError, did_you_mean
from headstart.sources.build import build_network, stages_of
from headstart.sources.custom import own_config, own_preprocessing
from headstart.sources.source import Provenance, Source
from headstart.sources.weights import (
    WEIGHT_SUFFIXES,
    check_complete,
    digest_of,
    load_tensors,
    read_weights,
    weight_files,
)

SCHEMES = ("timm", "hf", "run", "bundled")
_DEFAULTS: Mapping[str, str] = {
    "image": "timm:resnet50.a1_in1k",
    "text": "hf:sentence-transformers/all-MiniLM-L6-v2",
    "audio": "hf:facebook/wav2vec2-base",
}


@dataclass(frozen=True)
class Place:
    """Where a source lies on this disk, once found.

    Attributes:
        uri: how the user named it.
        folder: that holds its configuration.
        files: its weight files.
        raw: its config.json; {} where there is none.
        revision: commit on the hub.
    """

    uri: str
    folder: Path
    files: tuple[Path, ...]
    raw: dict[str, Any] = field(default_factory=dict)
    revision: str | None = None


def default_source(modality: Modality) -> str:
    """Return the source taken when the user names none."""
    return _DEFAULTS[modality]


def load_source(
    uri: str,
    *,
    arch: str | None = None,
    modality: Modality | None = None,
    trust_remote_code: bool = False,
) -> Source:
    """Return the pretrained network that a URI names, ready to be cut.

    Args:
        uri: `timm:NAME`, `hf:REPO[@REVISION]`, a local folder or weight file, `run:PATH` or `bundled:NAME`.
        arch: the architecture of a plain state dict: a timm name, or FILE:Class of one's own network.
        modality: needed only for a class of one's own that does not tell it.
        trust_remote_code: let code from the hub repository run; only ever the user's own word.

    Raises:
        SourceError: there is no such source, or its weights or configuration cannot be used.
    """
    scheme, name = split_uri(uri)
    if scheme == "run":
        return _open_run(uri, Path(name), arch)
    place = _find(uri, scheme, name)
    return _open(place, arch, modality)


def split_uri(uri: str) -> tuple[str, str]:
    """Return scheme ("" for a local path) and name.

    Raises:
        SourceError: a scheme that is none of ours.
    """
    scheme, colon, name = uri.partition(":")
    if not colon or Path(uri).exists() or len(scheme) == 1:  # one letter: a drive
        return "", uri
    if scheme in SCHEMES and name:
        return scheme, name
    if "/" in scheme or "." in scheme:
        return "", uri
    raise SourceError(
        f"A source must be {', '.join(f'{known}:...' for known in SCHEMES)}, a folder or a weight file, "
        f"got '{uri}'.{did_you_mean(scheme, SCHEMES)}"
    )


def _find(uri: str, scheme: str, name: str) -> Place:
    if scheme == "":
        return _local(uri, Path(name).expanduser())
    raise SourceError(f"'{uri}': the hub is not wired yet.")


def _local(uri: str, path: Path) -> Place:
    from headstart.sources.transformers_models import read_json

    if path.is_dir():
        return Place(uri, path, weight_files(path), read_json(path / "config.json"))
    if path.is_file() and path.suffix in WEIGHT_SUFFIXES:
        return Place(uri, path.parent, (path,), read_json(path.parent / "config.json"))
    if path.is_file():
        raise SourceError(f"{path} is no weight file ({', '.join(WEIGHT_SUFFIXES)}).")
    parent = path.parent if path.parent.is_dir() else Path()
    near = did_you_mean(path.name, [entry.name for entry in parent.iterdir()])
    raise SourceError(f"There is no source at {path}.{near}")


def _open(place: Place, arch: str | None, modality: Modality | None) -> Source:
    if arch is not None and ":" in arch:
        return _open_own(place, arch, modality)
    if arch is not None or "architecture" in place.raw:
        return _open_timm(place, arch)
    if "model_type" in place.raw:
        return _open_transformers(place)
    raise SourceError(
        f"{place.uri} holds tensors without an architecture: pass --arch with a timm name, or FILE:Class."
    )


def _open_timm(place: Place, arch: str | None) -> Source:
    from headstart.sources import timm_images

    raw = place.raw if arch is None else timm_images.raw_config(arch, place.raw)
    config = timm_images.timm_config(raw)
    network = timm_images.build_timm(config)
    tensors = timm_images.timm_tensors(network, read_weights(place.files))
    load_tensors(network.model, tensors, str(place.files[0]), heads=config["heads"])
    return _source(place, config, network)


def _open_transformers(place: Place) -> Source:
    from headstart.sources import transformers_models as library

    for path in place.files:
        if path.suffix == ".safetensors":
            check_complete(path)
    config = library.transformers_config(place.folder, place.raw)
    network = library.build_transformers(config, library.load_model(config, place.folder))
    return _source(place, config, network)


def _open_own(place: Place, arch: str, modality: Modality | None) -> Source:
    config, own = own_config(arch, place.raw, modality)
    network = build_network(config, arch)
    preprocessing = own_preprocessing(network.model, place.raw, config["modality"])
    config["preprocessing"] = preprocessing.to_json()
    load_tensors(cast(nn.Module, network.model), read_weights(place.files), str(place.files[0]))
    return _source(place, config, network)


def _open_run(uri: str, folder: Path, arch: str | None) -> Source:
    raise SourceError(f"{uri}: runs cannot be opened yet.")


def _source(place: Place, config: dict[str, Any], network: nn.Module) -> Source:
    network = network.float().eval()
    stages = stages_of(network)
    config = {**config, "stages": stages, "uri": place.uri}
    provenance = Provenance(
        architecture=config["architecture"],
        library=config["library"],
        revision=place.revision,
        licence=config.get("licence"),
        upstream=config.get("upstream"),
        files=tuple(path.name for path in place.files),
        n_parameters=sum(parameter.numel() for parameter in network.parameters()),
    )
    hashed = {key: value for key, value in config.items() if key not in ("uri", "stages", "licence", "upstream")}
    return Source(
        uri=place.uri,
        modality=config["modality"],
        network=network,
        stages=stages,
        preprocessing=preprocessing_from_json(config["preprocessing"]),
        digest=digest_of(place.files, hashed),
        provenance=provenance,
        config=json.loads(json.dumps(config)),
    )
