"""Is there anything at the path of a source? Asked before the libraries are imported, which takes seconds."""

from __future__ import annotations

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
