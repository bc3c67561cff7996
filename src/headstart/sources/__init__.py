"""Sources: a URI to a pretrained network with its own preprocessing, stages and provenance."""

from headstart.sources.libraries import build_network
from headstart.sources.load import default_source, load_source
from headstart.sources.local import LocalSource, local_sources
from headstart.sources.source import Provenance, Source
from headstart.sources.standard_head import with_standard_head
from headstart.sources.upstream import UpstreamClassifier

__all__ = [
    "LocalSource",
    "Provenance",
    "Source",
    "UpstreamClassifier",
    "build_network",
    "default_source",
    "load_source",
    "local_sources",
    "with_standard_head",
]
