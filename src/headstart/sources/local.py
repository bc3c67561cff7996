"""The sources on this disk: runs and folders nearby, the hub cache, and those that ship with headstart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from headstart.data.examples import Modality
from headstart.errors import HeadstartError, parsing
from headstart.run_files import UNFINISHED
from headstart.sources.json_files import read_object
from headstart.sources.libraries import recognised
from headstart.sources.weights import weight_files

BUNDLED = Path(__file__).resolve().parent.parent / "bundled"


@dataclass(frozen=True)
class LocalSource:
    """A source on this disk: its URI, and its modality if its configuration says so."""

    uri: str
    modality: Modality | None


def local_sources(modality: Modality | None = None, root: Path | None = None) -> list[LocalSource]:
    """Return the sources that can be used without a connection.

    Args:
        modality: only sources of this modality, or of an unknown one.
        root: the folder to look around in; None: the current one.
    """
    found = [*_nearby(root or Path()), *_hub_cache(), *_bundled()]
    return [source for source in found if modality is None or source.modality in (modality, None)]


def what_is_here(modality: Modality | None = None) -> str:
    """Return a sentence that names the sources on this disk and how to pass them."""
    sources = local_sources(modality)
    if not sources:
        return "No source was found on this disk: pass --source FOLDER."
    names = ", ".join(f"--source {source.uri}" for source in sources[:6])
    more = f" and {len(sources) - 6} more" if len(sources) > 6 else ""
    return f"On this disk: {names}{more}."


def modality_of_folder(folder: Path) -> Modality | None:
    """Return the modality of a source's folder; None if its configuration does not say so."""
    try:
        with parsing(folder, "a source", "check its files"):
            raw = read_object(folder / "source.json") or read_object(folder / "config.json")
            if raw.get("modality") in get_args(Modality):
                own: Modality = raw["modality"]
                return own
            library = recognised(raw)
            return None if library is None else library.modality_of(raw)
    except HeadstartError:
        return None


def _nearby(root: Path) -> list[LocalSource]:
    """Folders with a config.json and weights, at most two levels below; runs among them."""
    found: list[LocalSource] = []
    for config in [*sorted(root.glob("*/config.json")), *sorted(root.glob("*/*/config.json"))][:200]:
        folder = config.parent
        try:
            with parsing(folder, "a source", "check its files"):
                weight_files(folder)
                unfinished, is_run = ((folder / name).exists() for name in (UNFINISHED, "source.json"))
        except HeadstartError:
            continue
        if unfinished:
            continue
        name = f"run:{folder}" if is_run else f"{folder}" if folder.is_absolute() else f"./{folder}"
        found.append(LocalSource(name, modality_of_folder(folder)))
    return found


def _hub_cache() -> list[LocalSource]:
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        cache = scan_cache_dir(constants.HF_HUB_CACHE)
    except CacheNotFound:
        return []
    found: list[LocalSource] = []
    for repo in sorted(cache.repos, key=lambda repo: repo.repo_id):
        if repo.repo_type != "model":
            continue
        for revision in sorted(repo.revisions, key=lambda revision: -revision.last_modified)[:1]:
            folder = Path(revision.snapshot_path)
            if any(file.file_name.endswith((".safetensors", ".bin")) for file in revision.files):
                found.append(LocalSource(f"hf:{repo.repo_id}", modality_of_folder(folder)))
    return found


def _bundled() -> list[LocalSource]:
    folders = sorted(path.parent for path in BUNDLED.glob("*/config.json"))
    return [LocalSource(f"bundled:{folder.name}", modality_of_folder(folder)) for folder in folders]
