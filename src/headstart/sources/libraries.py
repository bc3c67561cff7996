"""The libraries that sources come from, and the network of a source configuration.

A source configuration is a dictionary that JSON can hold: `library` ("timm", "transformers", "custom"),
`modality`, `architecture`, `preprocessing`, and what that library needs (`model_args`; `config`, `processor`,
`pooling`; `config`). With the weights it is enough to build the network again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from headstart.errors import SourceError
from headstart.sources import library_own, library_timm, library_transformers
from headstart.sources.library import Library

LIBRARIES: tuple[Library, ...] = (library_own, library_timm, library_transformers)
"""The first library that recognises a folder opens it, in this order."""


def library_of(config: Mapping[str, Any]) -> Library:
    """Return the library of a source configuration.

    Raises:
        SourceError: the library is not known.
    """
    name = config.get("library")
    for library in LIBRARIES:
        if name == library.NAME:
            return library
    names = ", ".join(sorted(library.NAME for library in LIBRARIES))
    raise SourceError(f"A source's library must be one of {names}, got {name!r}.")


def recognised(raw: Mapping[str, Any], arch: str | None = None) -> Library | None:
    """Return the library that a config.json is of, with the user's `--arch`; None if none recognises it."""
    return next((library for library in LIBRARIES if library.recognises(raw, arch)), None)


def build_network(config: Mapping[str, Any], arch: str | None = None) -> nn.Module:
    """Return the network of a source configuration in eval mode, with random weights.

    Args:
        config: `Source.config`.
        arch: FILE:Class of the user's own network, given again; no other code of a run is executed.

    Raises:
        SourceError: the library or the architecture is not known, or `arch` is missing.
    """
    return library_of(config).build(config, arch).eval()
