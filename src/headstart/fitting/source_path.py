"""Paths of sources: whole paths, and whether there is anything, asked before libraries are imported for seconds."""

from __future__ import annotations

import os
from pathlib import Path

from headstart.errors import SourceError
from headstart.files import did_you_mean_beside, named_path

_RUN = "run:"
_PATHS = ("/", "./", "../", "~")


def require_source(source: str | Path | None) -> None:
    """Refuse a source whose path holds nothing, without reading anything.

    Args:
        source: as the user wrote it; None: the default source. A name that need not be a path is not looked at.

    Raises:
        SourceError: there is nothing at the path.
    """
    uri = "" if source is None else str(source)
    if not uri.startswith((_RUN, *_PATHS)):
        return
    path = named_path(uri.removeprefix(_RUN), "--source")
    if not path.exists():
        kind = "run" if uri.startswith(_RUN) else "source"
        raise SourceError(
            f"There is no {kind} at {path}.{did_you_mean_beside(path)} Give a folder, a weight file, run:PATH, "
            "timm:NAME or hf:REPO; for pictures, --source bundled:letters needs no connection."
        )


def absolute_place(place: str) -> str:
    """A file, a folder or run:PATH by its whole path if it exists, any other text as it is.

    Args:
        place: as the user wrote it.
    """
    scheme = _RUN if place.startswith(_RUN) else ""
    path = os.path.expanduser(place.removeprefix(scheme))
    return scheme + os.path.abspath(path) if os.path.exists(path) else place


def absolute_arch(arch: str) -> str:
    """[SOURCE=]FILE:Class by the whole paths of what exists, any other text as it is.

    Args:
        arch: as the user wrote it.
    """
    source, equals, own = arch.rpartition("=")
    file, _, network = own.rpartition(":")
    path = os.path.expanduser(file)
    whole = f"{os.path.abspath(path)}:{network}" if os.path.isfile(path) else own
    return f"{absolute_place(source)}{equals}{whole}"
