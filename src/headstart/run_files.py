"""What every reader of a run checks first: the version of its format, and the sha256 of the files that it uses.

metrics.json holds the digests under `files`, written when the run is finished. Runs of older versions have none: they
lack `WRITTEN_WITH_DIGESTS` too.
Files that users read, edit or make again (report, card, configuration, predictions) are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from headstart.errors import InputError, parsing
from headstart.files import open_regular, read_json

METRICS = "metrics.json"
UNFINISHED = "unfinished"  # the marker of a run that is being made, or was killed
FORMAT_VERSION = 1
DIGESTS = "files"
WRITTEN_WITH_DIGESTS = (
    "baselines_difference"  # a key that every version with digests writes, and the old ones do not
)
_DIGESTED = (
    "model.pt2",
    "model.safetensors",
    "config.json",
    "source.json",
    "head.json",
    "head.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
)


def digests_of(run: Path) -> dict[str, str]:
    """Return the sha256 of each file of a run that prediction, `run:`, the card's lines and transformers read."""
    return {name: _sha256(run / name) for name in _DIGESTED if (run / name).is_file()}


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
    path = run / METRICS
    if not path.is_file():
        raise kind(f"{path} is missing: copy the run again, or make it again")
    content = read_json(path, kind=kind)
    check_version(content, str(path))
    recorded = content.get(DIGESTS)
    if recorded is None and WRITTEN_WITH_DIGESTS not in content:
        return
    if not isinstance(recorded, Mapping):
        raise kind(
            f"{path} is damaged: {DIGESTS} must hold digests by name; copy the run again, or make it again"
        )
    for name in names:
        if not (run / name).is_file():
            continue
        found, expected = _sha256(run / name), recorded.get(name)
        if found != expected:
            raise kind(
                f"{run / name} is not the file that the run was finished with: its sha256 is {found[:16]}..., "
                f"and {METRICS} has {str(expected)[:16]}.... It was changed or damaged: copy the run again, or "
                "make it again"
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


def _sha256(path: Path) -> str:
    with parsing(path, "a file of a run", "check its permissions"), open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
