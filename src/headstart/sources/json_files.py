"""Read the JSON files of a source's folder, and find the files that they name."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from headstart.errors import SourceError
from headstart.files import read_json
from headstart.sources.links import check_inside


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; {} if there is no such file.

    Raises:
        SourceError: it is not a JSON object.
    """
    content = read_json_value(path, {})
    if not isinstance(content, dict):
        raise SourceError(f"{path} must hold a JSON object.")
    return content


def read_json_value(path: Path, default: Any) -> Any:
    """Return the content of a JSON file; `default` if there is no such file.

    Raises:
        SourceError: it is not JSON, or a link that leads out of its folder.
    """
    if not path.is_file():
        return default
    check_inside(path)
    return read_json(path, "fetch it again", SourceError)


def named_file(folder: Path, name: Any, named_by: Path) -> Path:
    """Return the path of a file or folder that a source's file names, which must lie in the source's folder.

    Args:
        folder: of the source.
        name: relative, with forward slashes.
        named_by: the file that names it, for the message.

    Raises:
        SourceError: the name leads out of the folder.
    """
    if (
        not isinstance(name, str)
        or "\0" in name
        or ".." in PurePosixPath(name).parts
        or PurePosixPath(name).is_absolute()
        or len(PureWindowsPath(name).parts) != len(PurePosixPath(name).parts)
        or PureWindowsPath(name).drive
    ):
        raise SourceError(f"{named_by} names {name!r}, which does not lie in its folder: refused.")
    return folder / name
