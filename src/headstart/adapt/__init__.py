"""Adapt a classifier to a domain without labels, on stored features: alignments, learners, the choice among them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.adapt.affine import Affine, LinearClassifier
    from headstart.adapt.domains import Domains
    from headstart.adapt.method import Method

# Names are imported when they are first used: options read the names of methods without torch.
_HOMES = {
    "Affine": "headstart.adapt.affine",
    "Domains": "headstart.adapt.domains",
    "LinearClassifier": "headstart.adapt.affine",
    "Method": "headstart.adapt.method",
}

__all__ = ["Affine", "Domains", "LinearClassifier", "Method"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'headstart.adapt' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
