"""Fetch a model repository from the hub into the user's hub cache, check it, and return its folder.

Everything goes through huggingface_hub: its cache, its token (HF_TOKEN or `hf auth login`), HF_ENDPOINT,
HF_HUB_OFFLINE. A broken connection is resumed a few times; complete files are kept. Each file is checked
against the digest that the hub announced, which is its name in the cache: sha256 of large files, git's sha1 of
small ones.
"""

from __future__ import annotations

import errno
import hashlib
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headstart.data.examples import Modality
from headstart.errors import DiskFullError, HeadstartError, SourceError, one_line
from headstart.progress import say
from headstart.sources.local import what_is_here
from headstart.sources.weights import WEIGHT_FILES, check_announced

_SMALL = (".json", ".txt", ".model", ".md", ".jinja")
_SKIPPED = ("onnx/", "openvino/", "coreml/", "original/", "training_args", "flax_", "tf_model", "rust_model")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Fetched:
    """A repository on this disk: its folder in the hub cache, and the commit."""

    folder: Path
    commit: str


def download(
    repo_id: str, revision: str | None = None, *, code: bool = False, modality: Modality | None = None
) -> Fetched:
    """Return a model repository as a local folder: configuration, tokenizer, card and the best weights.

    Args:
        repo_id: OWNER/NAME.
        revision: branch, tag or commit; None: the main branch.
        code: fetch Python files too (only if the user lets them run).
        modality: of the data at hand; without a connection, the message names sources of it on this disk.

    Raises:
        SourceError: no such repository or revision, no access, no connection and nothing in the cache, or a
            file that is not what the hub announced.
        HeadstartError: the connection broke; complete files are kept, and the next call fetches the others.
    """
    from huggingface_hub.errors import HFValidationError

    try:
        pinned = _cached(repo_id, revision) if revision and _COMMIT.fullmatch(revision) else None
        if pinned is not None:
            return pinned
        listed = _listing(repo_id, revision, modality)
    except HFValidationError as error:
        raise SourceError(f"'{repo_id}' is not a hub repository's name (OWNER/NAME): {error}") from None
    if isinstance(listed, Fetched):
        return listed
    commit, names = listed
    small, weights = choose_files(names, code)
    if not weights:
        raise SourceError(
            f"hf:{repo_id} holds no weights that can be read (safetensors or pytorch_model.bin)."
        )
    since = time.time()
    # weights come last, so that a folder with weights is complete
    paths = [*_fetch_all(repo_id, commit, small), *_fetch_all(repo_id, commit, weights)]
    for path in paths:
        if path.resolve().stat().st_mtime >= since - 2:
            check_announced(path, _digest(path.resolve()))
    if revision != commit:  # the download is complete: record in the cache which commit the name stands for
        _fetch_all(repo_id, revision or "main", weights[-1:])
    return Fetched(_root(paths[-1], weights[-1]), commit)


def choose_files(names: Iterable[str], code: bool = False) -> tuple[list[str], list[str]]:
    """Return the small files and the weight files to fetch: one kind of weights, safetensors first.

    Args:
        names: all files of the repository.
        code: take Python files too.
    """
    listed = sorted(name for name in names if not name.startswith(_SKIPPED))
    depth = {name: name.count("/") for name in listed}
    small = [
        name for name in listed if depth[name] <= 1 and name.endswith(_SMALL) and "index.json" not in name
    ]
    if code:
        small += [name for name in listed if name.endswith(".py")]
    weights: list[str] = []
    best = next((name for name in WEIGHT_FILES if name in listed), None)
    if best is not None and best.endswith(".index.json"):
        suffix = ".safetensors" if "safetensors" in best else ".bin"
        stem = best.removesuffix(f"{suffix}.index.json")
        weights = [best, *(name for name in listed if name.startswith(f"{stem}-") and name.endswith(suffix))]
        weights.sort(key=lambda name: name == best, reverse=True)
    elif best is not None:
        weights = [best]
    # steps after the pooling of a sentence-transformers folder have weights of their own
    steps = [name for name in listed if depth[name] == 1 and name.split("/")[1] in WEIGHT_FILES]
    return small, [*steps, *weights] if weights else []


def repository_error(repo_id: str, revision: str | None, error: Exception) -> HeadstartError:
    """Return the error for what the hub or the connection said about a repository."""
    from huggingface_hub import errors

    name = f"hf:{repo_id}" + (f"@{revision}" if revision else "")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return DiskFullError(
            f"The disk is full: {name} cannot be fetched. Free some space, or set HF_HOME to another folder."
        )
    if isinstance(error, errors.GatedRepoError):
        return SourceError(
            f"{name} is gated: accept its terms on its page, then set HF_TOKEN or `hf auth login`."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return SourceError(
            f"hf:{repo_id} has no revision '{revision}': name a branch, a tag or a whole commit."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return SourceError(
            f"The hub has no model repository '{repo_id}' that you may read. Check the name; for a private "
            "one set HF_TOKEN or `hf auth login`."
        )
    return HeadstartError(
        f"{name} was not fetched completely: {one_line(error)}. Complete files are "
        "kept: run again to fetch the others."
    )


def _listing(
    repo_id: str, revision: str | None, modality: Modality | None
) -> tuple[str, list[str]] | Fetched:
    """The commit and its files; or the cached folder if the hub cannot be reached."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        info = HfApi().model_info(repo_id, revision=revision)
    except HfHubHTTPError as error:
        if error.response is None or error.response.status_code < 500:
            raise repository_error(repo_id, revision, error) from None
        reason = f"the hub answers {error.response.status_code}"
    except OfflineModeIsEnabled:
        reason = "HF_HUB_OFFLINE is set"
    except (transport_error(), OSError) as error:
        reason = f"the hub cannot be reached ({type(error).__name__})"
    else:
        return str(info.sha), [file.rfilename for file in info.siblings or ()]
    cached = _cached(repo_id, revision)
    if cached is not None:
        if "OFFLINE" not in reason:
            say(f"hf:{repo_id}: {reason}; using what was fetched before ({cached.commit[:8]}).")
        return cached
    raise SourceError(f"hf:{repo_id} is not on this disk, and {reason}. {what_is_here(modality)}")


def _cached(repo_id: str, revision: str | None) -> Fetched | None:
    """The folder of an earlier download of this revision that has its weights; None if there is none."""
    from huggingface_hub import try_to_load_from_cache

    for name in WEIGHT_FILES:
        found = try_to_load_from_cache(repo_id, name, revision=revision)
        if isinstance(found, str) and Path(found).is_file():
            folder = Path(found).parent
            return Fetched(folder, folder.name)
    return None


def _fetch_all(repo_id: str, revision: str, names: Sequence[str]) -> list[Path]:
    """Fetch files of one revision, a few at a time."""
    from huggingface_hub import hf_hub_download

    try:
        with quiet_bars(), ThreadPoolExecutor(4) as pool:
            fetch = [pool.submit(hf_hub_download, repo_id, name, revision=revision) for name in names]
            return [Path(future.result()) for future in fetch]
    except (transport_error(), OSError) as error:
        raise repository_error(repo_id, None, error) from None


@contextmanager
def quiet_bars() -> Iterator[None]:
    """Keep the hub library's bars off what is not a terminal."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    silent = not sys.stderr.isatty() and not are_progress_bars_disabled()
    if silent:
        disable_progress_bars()
    try:
        yield
    finally:
        if silent:
            enable_progress_bars()


def transport_error() -> type[Exception]:
    """The error of the hub's HTTP library, which differs by version."""
    from huggingface_hub.errors import HfHubHTTPError

    base: type[Exception] = HfHubHTTPError.__bases__[0]
    return base


def _digest(blob: Path) -> str:
    """The digest of a file, of the kind that its name is: git's sha1 for 40 letters, else sha256."""
    with blob.open("rb") as file:
        if len(blob.name) != 40:
            return hashlib.file_digest(file, "sha256").hexdigest()
        git = hashlib.sha1(f"blob {blob.stat().st_size}\0".encode())
        return hashlib.file_digest(file, lambda: git).hexdigest()


def _root(path: Path, name: str) -> Path:
    """The snapshot's folder, from one of its files and that file's name in the repository."""
    return path.parents[name.count("/")]
