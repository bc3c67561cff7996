"""`--head standard`: a source that ends in the pooling of its own class."""

from __future__ import annotations

from headstart.sources.libraries import library_of
from headstart.sources.source import Source


def with_standard_head(source: Source) -> Source:
    """Return a source that ends in its class's own pooling; its other stages give the same values.

    Images, and the Wav2Vec2 family, end so already and are returned as they are.

    Args:
        source: of timm or transformers.

    Raises:
        OptionError: the library has no class with a head for this source.
    """
    return library_of(source.config).with_standard_head(source)
