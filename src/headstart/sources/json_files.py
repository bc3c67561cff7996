"""Read the JSON files of a source's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headstart.errors import SourceError


def read_json(path: Path) -> dict[str, Any]:
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
        SourceError: it is not JSON.
    """
    if not path.is_file():
        return default
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SourceError(f"{path} is not valid JSON: {error}") from None
