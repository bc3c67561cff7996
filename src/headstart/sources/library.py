"""What headstart needs from a library of networks; `libraries.py` lists the modules that have it.

To add a library, write a module with these functions and add it to that list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from headstart.data.examples import Modality
from headstart.sources.place import Place
from headstart.sources.source import Source
from headstart.sources.upstream import Upstream


@dataclass(frozen=True)
class Request:
    """What the user says about a source in addition to its URI.

    Attributes:
        arch: the architecture of a plain state dict: a timm name, or FILE:Class of the user's own network.
        modality: of the data at hand.
        trust_remote_code: let code from the source's repository run.
    """

    arch: str | None = None
    modality: Modality | None = None
    trust_remote_code: bool = False


@dataclass(frozen=True)
class Opened:
    """A source read from its files.

    Attributes:
        config: its source configuration (see `libraries.py`).
        network: filled with its weights, without the upstream classifier.
        more_files: weight files in addition to those of its place.
    """

    config: dict[str, Any]
    network: nn.Module
    more_files: tuple[Path, ...] = ()


class Library(Protocol):
    """The functions of a library's module. A configuration's `library` is the module's `NAME`."""

    NAME: str

    def recognises(self, raw: Mapping[str, Any], arch: str | None) -> bool:
        """Whether a folder's config.json, with the user's `--arch`, is of this library."""

    def modality_of(self, raw: Mapping[str, Any]) -> Modality | None:
        """The modality of a config.json that it recognises; None if it does not say so."""

    def open_source(self, place: Place, request: Request) -> Opened:
        """Read configuration and weights; raise SourceError if they do not fit each other."""

    def build(self, config: Mapping[str, Any], arch: str | None) -> nn.Module:
        """The network of a source configuration, with random weights."""

    def stages(self, network: nn.Module) -> dict[str, str]:
        """The stages of its network under the names that users know, name to module path, in order."""

    def upstream_classifier(self, place: Place, request: Request, network: nn.Module) -> Upstream:
        """The classifier stored with a network's weights, read from its files."""

    def with_standard_head(self, source: Source) -> Source:
        """The source ending in its class's own pooling; raise OptionError if its class has none."""
