"""What every reader of a run checks first: the version of its format, and the sha256 of the files that it uses.

metrics.json holds the digests under `files`, written when the run is finished. Runs of older versions have none: they
lack `WRITTEN_WITH_DIGESTS` too.
Files that users read, edit or make again (report, card, configuration, predictions) are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from headstart.errors import InputError, parsing
from headstart.files import open_regular, read_json, read_regular
from headstart.run_kinds import RUN_KINDS

METRICS = "metrics.json"
PROGRAM = "model.pt2"
EXPORTED = "exported"  # key of metrics.json: False for a run without PROGRAM
UNFINISHED = "unfinished"  # the marker of a run that is being made, or was killed
FORMAT_VERSION = 1
DIGESTS = "files"
TRAINING_STATISTICS = "training_statistics.safetensors"
LEARNED_ITEMS = "learned_items.safetensors"
# A key that every version with digests writes, and the old ones do not.
WRITTEN_WITH_DIGESTS = "baselines_difference"
_DIGESTED = (
    PROGRAM,
    "model.safetensors",
    "config.json",
    "source.json",
    "head.json",
    "head.safetensors",
    TRAINING_STATISTICS,
    LEARNED_ITEMS,
    "tokenizer.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
)


def digests_of(run: Path) -> dict[str, str]:
    """Return the sha256 of each file of a run that prediction, `run:`, the card's lines and transformers read."""
    return {name: _sha256(run / name) for name in _DIGESTED if (run / name).is_file()}


def check_has_model(run: Path, kind: type[InputError] = InputError) -> None:
    """Refuse a run that holds no model, such as a ranking.

    Args:
        run: its folder.
        kind: of the error.

    Raises:
        InputError: of the given kind.
    """
    content = read_json(run / METRICS, kind=kind) if (run / METRICS).is_file() else {}
    made_by = content.get("kind", "fit") if isinstance(content, dict) else "fit"
    found = RUN_KINDS.get(made_by, RUN_KINDS["fit"])
    if found.instead:
        raise kind(f"{run} is {found.words}, which holds no model: {found.instead}")


def check_has_program(run: Path) -> None:
    """Refuse a run that cannot predict: it holds no model, or was fitted without its program.

    Args:
        run: its folder.

    Raises:
        InputError: the reason, and what to do instead.
    """
    check_has_model(run)
    if not (run / PROGRAM).is_file() and read_json(run / METRICS).get(EXPORTED) is False:
        raise InputError(
            f"{run} was fitted with --no-export, so it cannot predict: fit again without it. As a source (run:{run}) "
            "it can be used"
        )


def has_recorded(run: Path, name: str) -> bool:
    """Whether a run was finished with a file of this name, which may be gone.

    Args:
        run: its folder.
        name: of the file.

    Raises:
        InputError: metrics.json is missing or damaged, or a newer headstart wrote the run.
    """
    return name in (_recorded_digests(run, InputError) or {})


def check_files(run: Path, names: Iterable[str], kind: type[InputError] = InputError) -> None:
    """Check the format of a run, and files of it against the digests in its metrics.json.

    Args:
        run: its folder.
        names: of the files that are about to be used; one that is absent passes, as its reader reports it.
        kind: of the error.

    Raises:
        InputError: of the given kind: metrics.json is missing, a newer headstart wrote the run, or a file is not the
            one it was finished with.
    """
    recorded = _recorded_digests(run, kind)
    for name in names:
        if recorded is not None and (run / name).is_file():
            _compare(run / name, _sha256(run / name), recorded, kind)


def read_checked(run: Path, name: str, kind: type[InputError] = InputError) -> Any:
    """Read a JSON file of a run; the bytes whose digest is compared are the ones that are read.

    Args:
        run: its folder.
        name: of the file.
        kind: of the error.

    Raises:
        InputError: of the given kind: see `check_files`; or the file is missing or not JSON.
    """
    path, recorded = run / name, _recorded_digests(run, kind)
    with parsing(path, "a file of a run", "copy the run again, or make it again", kind):
        content = read_regular(path)
    if recorded is not None:
        _compare(path, hashlib.sha256(content).hexdigest(), recorded, kind)
    with parsing(path, "JSON", "make the run again", kind):
        return json.loads(content.decode("utf-8"))


def _recorded_digests(run: Path, kind: type[InputError]) -> Mapping[str, Any] | None:
    """The digests in a run's metrics.json; None for a run of a version that wrote none."""
    path = run / METRICS
    if not path.is_file():
        raise kind(f"{path} is missing: copy the run again, or make it again")
    content = read_json(path, kind=kind)
    check_version(content, str(path))
    recorded = content.get(DIGESTS)
    if recorded is None and WRITTEN_WITH_DIGESTS not in content:
        return None
    if not isinstance(recorded, Mapping):
        raise kind(
            f"{path} is damaged: {DIGESTS} must hold digests by name; copy the run again, or make it again"
        )
    return recorded


def _compare(path: Path, found: str, recorded: Mapping[str, Any], kind: type[InputError]) -> None:
    expected = recorded.get(path.name)
    if found != expected:
        raise kind(
            f"{path} is not the file that the run was finished with: its sha256 is {found[:16]}..., and {METRICS} has "
            f"{str(expected)[:16]}.... It was changed or damaged: copy the run again, or make it again"
        )


def check_version(content: Any, where: str) -> None:
    """Refuse a file that is not a metrics.json, or that a newer headstart wrote.

    Raises:
        InputError: with the remedy.
    """
    version = content.get("format_version") if isinstance(content, Mapping) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise InputError(f"{where} has no format_version: it was not written by headstart")
    if version > FORMAT_VERSION:
        raise InputError(
            f"{where} was written by a newer headstart (format {version}; this one "
            f"reads up to {FORMAT_VERSION}): pip install --upgrade headstart"
        )


def sha256_of(path: Path, *, follow: bool = True) -> str:
    """The sha256 of a regular file, as hexadecimal text.

    Args:
        path: of the file.
        follow: whether it may be a link.

    Raises:
        OSError: see `headstart.files.open_regular`.
    """
    with open_regular(path, follow=follow) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(path: Path) -> str:
    with parsing(path, "a file of a run", "check its permissions"):
        return sha256_of(path)
