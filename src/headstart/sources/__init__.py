"""Sources: a URI to a pretrained network with its own preprocessing, stages and provenance."""

from headstart.sources.build import build_network
from headstart.sources.disk import LocalSource, local_sources
from headstart.sources.resolve import default_source, load_source
from headstart.sources.source import Provenance, Source
from headstart.sources.standard import with_standard_head

__all__ = [
    "LocalSource",
    "Provenance",
    "Source",
    "build_network",
    "default_source",
    "load_source",
    "local_sources",
    "with_standard_head",
]
