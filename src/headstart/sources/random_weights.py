"""The same architecture with weights of chance: what a candidate learns without a head start.

It is evidence as well as a candidate: where it does not fall behind the pretrained ones, the transfer gave
nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import torch

from headstart import randomness
from headstart.errors import SourceError
from headstart.sources.build import build_network
from headstart.sources.source import Source


def fresh_source(source: Source, *, seed: int = 0, arch: str | None = None) -> Source:
    """The source with the weights that its library, or one's own class, gives a new network.

    Args:
        source: whose architecture, stages and preprocessing are taken; it is left as it is.
        seed: of the weights.
        arch: FILE:Class of one's own network, as the user gave it.

    Raises:
        SourceError: the network cannot be built without its weights.
    """
    with randomness.seeded(seed):
        network = build_network(source.config, arch)
    own, fresh = source.network.state_dict(), network.state_dict()
    if {name: t.shape for name, t in own.items()} != {name: t.shape for name, t in fresh.items()}:
        raise SourceError(f"{source.provenance.architecture} built anew has other tensors than the source")
    not_finite = [
        name for name, t in fresh.items() if t.is_floating_point() and not bool(torch.isfinite(t).all())
    ]
    if not_finite:
        raise SourceError(
            f"{source.provenance.architecture} gives '{not_finite[0]}' no starting values of its own"
        )
    digest = hashlib.sha256(f"{source.digest} fresh {seed}".encode()).hexdigest()
    provenance = replace(source.provenance, pretrained=False, files=())
    return replace(source, network=network.eval(), digest=digest, provenance=provenance)
