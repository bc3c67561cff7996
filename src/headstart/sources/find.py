"""Find a source: from its URI to the folder, the configuration and the weight files on this disk."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from headstart.data.examples import Modality
from headstart.errors import HeadstartError, SourceError, did_you_mean, parsing, shortened
from headstart.files import did_you_mean_beside
from headstart.run_files import METRICS, UNFINISHED, check_files, check_has_model, read_checked
from headstart.sources.hub import download
from headstart.sources.json_files import read_object
from headstart.sources.library_timm import hub_repository
from headstart.sources.links import check_inside
from headstart.sources.local import BUNDLED, what_is_here
from headstart.sources.place import Place
from headstart.sources.weights import WEIGHT_SUFFIXES, weight_files

SCHEMES = ("timm", "hf", "run", "bundled")


def find_place(uri: str, *, code: bool = False, modality: Modality | None = None) -> Place:
    """Return where a source lies; a source on the hub is fetched first.

    Args:
        uri: `timm:NAME`, `hf:REPO[@REVISION]`, a folder, a weight file, `run:PATH` or `bundled:NAME`.
        code: fetch a repository's Python files too.
        modality: of the data at hand; without a connection, the message names sources of it.

    Raises:
        SourceError: there is no such source.
    """
    scheme, name = split_uri(uri)
    if scheme == "timm":
        return _hub_place(uri, *hub_repository(name), code=False, modality=modality)
    if scheme == "hf":
        repo_id, _, revision = name.partition("@")
        return _hub_place(uri, repo_id, revision or None, code=code, modality=modality)
    if scheme == "bundled":
        return _bundled(uri, name)
    with parsing(name, "a source", "check the path and its permissions", SourceError):
        path = Path(name).expanduser()
        return _run(uri, path) if scheme == "run" else _local(uri, path)


def split_uri(uri: str) -> tuple[str, str]:
    """Return scheme ("" for a local path) and name.

    Raises:
        SourceError: the scheme is not known.
    """
    scheme, colon, name = uri.partition(":")
    if not uri.strip():
        raise SourceError(f"A source must be named. {what_is_here()}")
    if not colon or len(scheme) == 1 or os.path.exists(uri):  # one letter: a drive
        return "", uri
    if scheme in SCHEMES and name:
        return scheme, name
    if "/" in scheme or "." in scheme:
        return "", uri
    raise SourceError(
        f"A source must be {', '.join(f'{known}:...' for known in SCHEMES)}, a folder or a weight file, "
        f"got '{uri}'.{did_you_mean(scheme, SCHEMES)}"
    )


def _hub_place(
    uri: str, repo_id: str, revision: str | None, *, code: bool, modality: Modality | None
) -> Place:
    fetched = download(repo_id, revision, code=code, modality=modality)
    if (fetched.folder / METRICS).is_file() and (
        fetched.folder / "source.json"
    ).is_file():  # `headstart push`
        return replace(_run(uri, fetched.folder), revision=fetched.commit)
    raw = read_object(fetched.folder / "config.json")
    return Place(uri, fetched.folder, weight_files(fetched.folder), raw, fetched.commit)


def _bundled(uri: str, name: str) -> Place:
    names = sorted(path.parent.name for path in BUNDLED.glob("*/config.json"))
    if name not in names:
        available = f" Available: {', '.join(names)}." if names else " This installation has none."
        raise SourceError(f"There is no bundled source '{name}'.{did_you_mean(name, names)}{available}")
    folder = BUNDLED / name
    return Place(uri, folder, weight_files(folder), read_object(folder / "config.json"))


def _run(uri: str, folder: Path) -> Place:
    if not folder.is_dir():
        raise SourceError(f"There is no run at {folder}.{did_you_mean_beside(folder)}")
    if (folder / UNFINISHED).exists():
        raise SourceError(
            f"{folder} is not a finished run: finish it first, with headstart fit --resume {shlex.quote(str(folder))}"
        )
    check_has_model(folder, SourceError)
    if not (folder / "source.json").is_file():
        raise SourceError(f"{folder} is not a finished run. A run is a folder that `headstart fit` wrote.")
    check_inside(folder / "source.json")
    config = read_checked(folder, "source.json", SourceError)
    if fault := _run_fault(config):
        raise SourceError(f"{folder / 'source.json'} is damaged: {fault}; make the run again")
    files = weight_files(folder)
    check_files(folder, ("config.json", *(path.name for path in files)), SourceError)
    return Place(uri, folder, files, read_object(folder / "config.json"), config=config)


def _run_fault(config: Any) -> str:
    """What is wrong with the source.json of a run, in words; "" if every library can read it."""
    if not isinstance(config, Mapping):
        return f"it must be a JSON object, got {shortened(repr(config))}"
    modalities = get_args(Modality)
    if config.get("modality") not in modalities:
        return f"modality must be one of {', '.join(modalities)}, got {config.get('modality')!r}"
    if not isinstance(config.get("architecture"), str):
        return f"architecture must be a name, got {config.get('architecture')!r}"
    if not isinstance(config.get("preprocessing"), dict):
        return f"preprocessing must hold values by name, got {config.get('preprocessing')!r}"
    return ""


def _local(uri: str, path: Path) -> Place:
    if path.is_dir():
        if (path / "source.json").is_file():
            return _run(uri, path)
        check_has_model(path, SourceError)
        return Place(uri, path, weight_files(path), read_object(path / "config.json"))
    if path.is_file():
        if path.suffix in WEIGHT_SUFFIXES:
            return Place(uri, path.parent, (path,), read_object(path.parent / "config.json"))
        raise SourceError(f"{path} is not a weight file ({', '.join(WEIGHT_SUFFIXES)}).")
    hint = f"{did_you_mean_beside(path)}{_as_hub_name(uri)}" or f" {what_is_here()}"
    raise SourceError(f"There is no source at {path}.{hint}")


def _as_hub_name(uri: str) -> str:
    """Suggest the scheme that was probably meant: OWNER/NAME is on the hub, a bare timm name is timm's."""
    if uri.count("/") == 1 and not uri.startswith((".", "/", "~")):
        return f" For the repository on the hub write hf:{uri}."
    try:
        import timm

        known = "/" not in uri and timm.is_model(uri.partition(".")[0])
    except (ImportError, HeadstartError):
        known = False
    return f" For timm's own weights write timm:{uri}." if known else ""
