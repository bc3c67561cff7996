"""The same architecture with random weights: the start of a training from scratch.

Such a training is evidence as well as a candidate: if it is as good as training from pretrained weights,
transfer did not help.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import torch
from torch import nn

from headstart import randomness
from headstart.errors import SourceError
from headstart.sources.libraries import build_network
from headstart.sources.source import Source
from headstart.sources.upstream import NoClassifier, Upstream


def with_random_weights(source: Source, *, seed: int = 0, arch: str | None = None) -> Source:
    """Return the source with the random weights that its library, or the user's own class, gives a new network.

    Args:
        source: gives architecture, stages and preprocessing; it is not changed.
        seed: random seed of the weights.
        arch: FILE:Class of the user's own network.

    Raises:
        SourceError: the network cannot be built without its weights.
    """
    with randomness.seeded(seed):
        network = build_network(source.config, arch)
    pretrained, random = source.network.state_dict(), network.state_dict()
    if {name: t.shape for name, t in pretrained.items()} != {name: t.shape for name, t in random.items()}:
        raise SourceError(
            f"{source.provenance.architecture} built with random weights has other tensors than the source"
        )
    not_finite = [
        name for name, t in random.items() if t.is_floating_point() and not bool(torch.isfinite(t).all())
    ]
    if not_finite:
        raise SourceError(
            f"{source.provenance.architecture} gives '{not_finite[0]}' random values that are not finite"
        )
    digest = hashlib.sha256(f"{source.digest} fresh {seed}".encode()).hexdigest()
    provenance = replace(source.provenance, pretrained=False, files=())
    return replace(
        source, network=network.eval(), digest=digest, provenance=provenance, read_upstream=_no_classifier
    )


def _no_classifier(network: nn.Module) -> Upstream:
    return NoClassifier("its weights are random")
