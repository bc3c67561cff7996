"""Partial transfer: the first stages of a source with its weights, the others with random ones.

Where a source with fewer of its own stages is as good as the whole, the stages after them do not transfer (Yosinski et
al. 2014, "How transferable are features in deep neural networks?", section 2).
"""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace

from headstart.sources.source import Source


def with_first_stages(source: Source, n_stages: int, random: Source) -> Source:
    """Return the source with the weights of its first stages; those after them are random.

    Parameters and buffers belong to the stage that first uses them.

    Args:
        source: pretrained; it is not changed.
        n_stages: number of stages that keep their weights, from 0 (all random) to all of them.
        random: the same architecture with random weights, from `with_random_weights`.
    """
    stages = list(source.stages)
    if not 0 <= n_stages <= len(stages):
        raise ValueError(f"0 <= n_stages <= {len(stages)} must hold, got {n_stages}")
    if n_stages == 0:
        return random
    if n_stages == len(stages):
        return source
    kept = source.network.state_dict()
    stage_of = source.backbone.stage_of
    state = {
        name: kept[name] if stage_of(name) < n_stages else tensor
        for name, tensor in random.network.state_dict().items()
    }
    network = copy.deepcopy(random.network)
    network.load_state_dict(state)
    digest = hashlib.sha256(f"{source.digest} first {n_stages} then {random.digest}".encode()).hexdigest()
    return replace(random, network=network, digest=digest)
