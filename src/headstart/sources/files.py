"""Small reading of a source's own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headstart.errors import SourceError


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON object's file; {} where the file is not there.

    Raises:
        SourceError: it is no JSON object.
    """
    content = read_json_value(path, {})
    if not isinstance(content, dict):
        raise SourceError(f"{path} must hold a JSON object.")
    return content


def read_json_value(path: Path, default: Any) -> Any:
    """Return the content of a JSON file; `default` where the file is not there.

    Raises:
        SourceError: it is no JSON.
    """
    if not path.is_file():
        return default
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SourceError(f"{path} is no sound JSON: {error}") from None
