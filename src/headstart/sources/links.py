"""Where the small files of a source may lead as links: their text ends in runs, which users publish.

Configuration, tokenizer, vocabulary, processor, card and labels lie in the source's folder, or are links inside it. A
snapshot in the hub's cache holds links to `../../blobs` of the same repository. Weight files may be links to anywhere:
they are read as tensors only.
"""

from __future__ import annotations

import os
from pathlib import Path

from headstart.data.listing import homes_of, lies_inside
from headstart.errors import SourceError


def check_inside(path: Path, folder: Path | None = None) -> Path:
    """Return a path in a source's folder; refuse a link that leads out of it.

    Args:
        path: of a small file, or of a folder of them.
        folder: of the source, which may be a link itself; None: the one that the path names.

    Raises:
        SourceError: the path leads to somewhere else.
    """
    folder = path.parent if folder is None else folder
    if not any(lies_inside(path, home) for home in homes_of(folder)):
        raise SourceError(
            f"{path} is a link that leads out of {folder}, to {os.path.realpath(path)}: copy the file into the "
            "folder, or remove the link. Only weight files may lie elsewhere."
        )
    return path


def check_all_inside(folder: Path, but: tuple[str, ...]) -> None:
    """Refuse a folder with a link that leads out of it.

    Args:
        folder: of the source.
        but: endings of files that may lead anywhere.

    Raises:
        SourceError: names the link.
    """
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix not in but:
            check_inside(path)
