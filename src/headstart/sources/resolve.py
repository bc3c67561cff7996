"""From a source URI to a `Source`: find it, build its network, fill it with its weights, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from headstart.data.examples import Modality
from headstart.data.preprocessing import preprocessing_from_json
from headstart.errors import SourceError
from headstart.sources.build import build_network, stages_of
from headstart.sources.card import licence_and_upstream
from headstart.sources.custom import absent_heads, own_config, own_preprocessing
from headstart.sources.place import Place, find_place
from headstart.sources.source import Provenance, Source
from headstart.sources.weights import (
    check_complete,
    digest_of,
    is_counter,
    load_tensors,
    read_weights,
    weight_files,
)

_DEFAULTS: Mapping[str, str] = {
    "image": "timm:resnet50.a1_in1k",
    "text": "hf:sentence-transformers/all-MiniLM-L6-v2",
    "audio": "hf:facebook/wav2vec2-base",
}
# What a configuration says besides the numbers that the network gives: left out of the digest.
_SAID = ("uri", "stages", "licence", "upstream", "architecture_file")


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
        modality: of the data at hand; needed only for a class of one's own that does not tell its own.
        trust_remote_code: let code from the repository run; only ever the user's own word.

    Raises:
        SourceError: there is no such source, or its weights or configuration cannot be used.
    """
    place = find_place(uri, code=trust_remote_code, modality=modality)
    if place.config:
        return _open_run(place, arch)
    if (arch is not None and ":" in arch) or place.raw.get("library") == "custom":
        return _open_own(place, arch, modality)
    if arch is not None or "architecture" in place.raw:
        return _open_timm(place, arch)
    if "model_type" in place.raw:
        return _open_transformers(place, trust_remote_code)
    raise SourceError(
        f"{uri} holds tensors without an architecture: pass --arch with a timm name, such as resnet18, or "
        "with FILE:Class of your own network."
    )


def _open_timm(place: Place, arch: str | None) -> Source:
    from headstart.sources import timm_images

    raw = place.raw if arch is None else timm_images.raw_config(arch, place.raw)
    config = timm_images.timm_config(raw)
    network = timm_images.build_timm(config)
    tensors = timm_images.timm_tensors(network, read_weights(place.files))
    load_tensors(network.model, tensors, str(place.files[0]), heads=config.pop("heads"))
    return _source(place, config, network)


def _open_transformers(place: Place, trust_remote_code: bool) -> Source:
    from headstart.sources import transformers_models as library
    from headstart.sources.sentence import dense_folders

    for path in place.files:
        if path.suffix == ".safetensors":
            check_complete(path)
        else:
            read_weights([path])  # refuses a pickle with code, and a file cut short, by name
    remote = trust_remote_code and "auto_map" in place.raw
    config = library.transformers_config(place.folder, place.raw, place.files, remote_code=remote)
    if remote:
        model = library.load_remote_code(place.folder)
    else:
        model = library.load_model(config, place.folder, place.files)
    network = library.build_transformers(config, model)
    steps = [weight_files(folder) for folder in dense_folders(place.folder)]
    for index, files in enumerate(steps):
        own = {name.removeprefix("linear."): value for name, value in read_weights(files).items()}
        load_tensors(network.get_submodule(f"dense.{2 * index}"), own, str(files[0]))
    return _source(place, config, network, tuple(file for files in steps for file in files))


def _open_own(place: Place, arch: str | None, modality: Modality | None) -> Source:
    config = own_config(arch or str(place.raw["architecture"]), place.raw, modality)
    network = build_network(config, arch)
    preprocessing = own_preprocessing(network.model, place, config["modality"])
    config["preprocessing"] = preprocessing.to_json()
    model = network.get_submodule("model")
    load_tensors(model, read_weights(place.files), str(place.files[0]), heads=absent_heads(model))
    return _source(place, config, network)


def _open_run(place: Place, arch: str | None) -> Source:
    config = {key: value for key, value in place.config.items() if key not in ("uri", "stages")}
    network = build_network(config, arch)
    load_tensors(network, _own_names(network, read_weights(place.files)), str(place.files[0]))
    return _source(place, config, network)


def _own_names(network: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The network's tensors out of a run's file, by the network's own names, without the head beside them.

    They stand there as they are, or under `network.`, or under the names of a library's class with a head
    (`bert.`, `timm_model.`).
    """
    wanted = [name for name in network.state_dict() if not is_counter(name)]
    for prefix in ("", "network."):
        if all(prefix + name in tensors for name in wanted):
            return {name: tensors[prefix + name] for name in wanted}
    bare = {name: name.removeprefix("model.") for name in wanted}
    longest = max(bare.values(), key=len)
    for found in (name for name in tensors if name == longest or name.endswith(f".{longest}")):
        prefix = found.removesuffix(longest)
        if all(prefix + name in tensors for name in bare.values()):
            return {name: tensors[prefix + bare[name]] for name in wanted}
    return tensors


def _source(
    place: Place, config: dict[str, Any], network: nn.Module, more_files: tuple[Any, ...] = ()
) -> Source:
    network = network.float().eval()
    stages = stages_of(network)
    licence, upstream = licence_and_upstream(place.folder, place.raw)
    files = (*place.files, *more_files)
    config = {"licence": licence, "upstream": upstream, **config, "stages": stages, "uri": place.uri}
    provenance = Provenance(
        architecture=str(config["architecture"]),
        library=str(config["library"]),
        revision=place.revision,
        licence=config["licence"],
        upstream=config["upstream"],
        files=tuple(path.name for path in files),
        n_parameters=sum(parameter.numel() for parameter in network.parameters()),
        pretrained=bool(place.raw.get("pretrained", True)),
    )
    hashed = {key: value for key, value in config.items() if key not in _SAID}
    hashed["architecture"] = provenance.architecture.rpartition(":")[2]  # wherever the user's own file lies
    return Source(
        uri=place.uri,
        modality=config["modality"],
        network=network,
        stages=stages,
        preprocessing=preprocessing_from_json(config["preprocessing"]),
        digest=digest_of(files, hashed),
        provenance=provenance,
        config=json.loads(json.dumps(config)),
    )
