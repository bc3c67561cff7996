"""Sources: a URI to a pretrained network with its own preprocessing, stages and provenance."""

from headstart.sources.build import build_network
from headstart.sources.resolve import default_source, load_source
from headstart.sources.source import Provenance, Source

__all__ = ["Provenance", "Source", "build_network", "default_source", "load_source"]
