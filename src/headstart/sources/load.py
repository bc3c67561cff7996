"""From a source URI to a `Source`: find it, build its network, fill it with its weights, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn

from headstart.data.examples import Modality
from headstart.data.preprocessing import Preprocessing, preprocessing_from_json
from headstart.errors import SourceError, parsing
from headstart.sources import library_own
from headstart.sources.card import licence_and_upstream
from headstart.sources.find import find_place
from headstart.sources.libraries import build_network, library_of, recognised
from headstart.sources.library import Library, Opened, Request
from headstart.sources.own_class import own_file
from headstart.sources.own_code import code_digest
from headstart.sources.place import Place
from headstart.sources.processors import values_of
from headstart.sources.source import Provenance, Source
from headstart.sources.weights import check_numbers, is_counter, load_tensors, read_weights, source_digest

_DEFAULTS: Mapping[str, str] = {
    "image": "timm:resnet50.a1_in1k",
    "text": "hf:sentence-transformers/all-MiniLM-L6-v2",
    "audio": "hf:facebook/wav2vec2-base",
}
# Values of a configuration that do not change the numbers that the network gives: left out of the digest.
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
        arch: the architecture of a plain state dict: a timm name, or FILE:Class of the user's own network.
        modality: of the data at hand; needed only for a class of the user that does not name its own.
        trust_remote_code: let code from the repository run; never set unless the user asks for it.

    Raises:
        SourceError: there is no such source, or its weights or configuration cannot be used.
    """
    place = find_place(uri, code=trust_remote_code, modality=modality)
    request = Request(arch, modality, trust_remote_code)
    # Libraries raise every kind of error on configurations and weights that are damaged or of another version.
    settings = place.folder / ("source.json" if place.config else "config.json")
    with (
        parsing(place.folder, "a source", "check its files, or fetch it again", SourceError),
        values_of(settings),
    ):
        library, opened = _open(place, request)
        preprocessing = preprocessing_from_json(opened.config["preprocessing"])
    check_numbers(opened.network, place.folder)
    return _source(place, request, library, opened, preprocessing)


def _open(place: Place, request: Request) -> tuple[Library, Opened]:
    if place.config:
        return library_of(place.config), _open_run(place, request.arch)
    library = recognised(place.raw, request.arch)
    if library is None:
        raise SourceError(
            f"{place.uri} holds tensors without an architecture: pass --arch with a timm name, such as "
            "resnet18, or with FILE:Class of your own network."
        )
    return library, library.open_source(place, request)


def _open_run(place: Place, arch: str | None) -> Opened:
    # The file of the user's own class is the one that is named now, never one that a run names.
    left_out = ("uri", "stages", "architecture_file")
    config = {key: value for key, value in place.config.items() if key not in left_out}
    if config.get("library") == library_own.NAME:
        config["architecture_file"] = own_file(arch)
    with parsing(place.folder / "source.json", "the source of a run", "make the run again", SourceError):
        network = build_network(config, arch)
    load_tensors(network, _own_names(network, read_weights(place.files)), str(place.files[0]))
    return Opened(config, network)


def _own_names(network: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The network's tensors out of a run's file, by the network's own names, without the head.

    In the file they have the same names, or begin with `network.`, or have the names of a library's class with
    a head (`bert.`, `timm_model.`).
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
    place: Place, request: Request, library: Library, opened: Opened, preprocessing: Preprocessing
) -> Source:
    network = opened.network.float().eval()
    stages = library.stages(network)
    licence, upstream = licence_and_upstream(place.folder, place.raw)
    files = (*place.files, *opened.more_files)
    config = {"licence": licence, "upstream": upstream, **opened.config, "stages": stages, "uri": place.uri}
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
    if config["library"] == library_own.NAME or config.get("remote_code"):
        shipped = request.arch is None and not config.get("remote_code")
        hashed["architecture_sha256"] = None if shipped else code_digest(network, preprocessing)
    hashed["architecture"] = provenance.architecture.rpartition(":")[2]  # wherever the user's own file lies
    return Source(
        uri=place.uri,
        modality=config["modality"],
        network=network,
        stages=stages,
        preprocessing=preprocessing,
        digest=source_digest(files, hashed),
        provenance=provenance,
        config=json.loads(json.dumps(config)),
        read_upstream=partial(library.upstream_classifier, place, request),
    )
