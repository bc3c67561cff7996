"""The option `class_weight`: balanced, or a weight for each class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

BALANCED = "balanced"
_FORMS = "must be balanced, or a weight above 0 for each class, as in normal=1,pneumonia=4 (in Python a dictionary)"


def parsed_class_weight(value: Any) -> str | dict[str, float] | None:
    """The option in its checked form: "balanced", or weights by the name of the class.

    Args:
        value: as given in Python, in a configuration or on the command line.

    Raises:
        ValueError: it is neither, a class is named twice, or a weight is not above 0 or too large.
    """
    if value is None or value == BALANCED:
        return None if value is None else BALANCED
    if isinstance(value, str):
        pairs = [_pair(part) for part in value.split(",") if part.strip()]
        value = dict(pairs)
        if len(value) < len(pairs):
            raise ValueError(f"{_FORMS}; a class is named twice")
    from headstart.data.examples import as_text

    if not isinstance(value, Mapping) or not value:
        raise ValueError(_FORMS)
    return {as_text(name): _weight(name, weight) for name, weight in value.items()}


def _pair(text: str) -> tuple[str, str]:
    name, equals, weight = text.rpartition("=")
    if not equals or not name.strip():
        raise ValueError(_FORMS)
    return name.strip(), weight


def _weight(name: Any, value: Any) -> float:
    from headstart.data.weights import LARGEST

    try:
        weight = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        weight = math.nan
    if not 0 < weight <= LARGEST:
        raise ValueError(f"{_FORMS}; the weight of class '{name}' is {value!r}")
    return weight


ClassWeight = Annotated[str | dict[str, float], BeforeValidator(parsed_class_weight)]
