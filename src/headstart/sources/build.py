"""The network of a source configuration, with fresh weights: for first loads and for runs opened again.

A source configuration is a dictionary that JSON can hold: `library` ("timm", "transformers", "custom"),
`modality`, `architecture`, `preprocessing`, and what that library needs (`model_args`; `config`, `processor`,
`pooling`; `config`). With the weights it is all that is needed to build the network again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import nn

from headstart.backbone.stages import find_stages
from headstart.errors import SourceError
from headstart.sources.custom import OwnNetwork, build_own, stages_of_own
from headstart.sources.networks import ImageNetwork

# What transformers calls its list of layers, by architecture; users know them as layer.0, layer.1, ...
_LIST_OF_LAYERS = re.compile(r"^(layers|blocks|block|h)\.(?=\d+$)")


def build_network(config: Mapping[str, Any], arch: str | None = None) -> nn.Module:
    """Return the network of a source configuration in eval mode, with fresh weights.

    Args:
        config: `Source.config`.
        arch: FILE:Class of one's own network, given again by the user; nothing else runs code of a run.

    Raises:
        SourceError: the library or the architecture is not known, or `arch` is missing.
    """
    library = config.get("library")
    if library == "timm":
        from headstart.sources.timm_images import build_timm

        return build_timm(config).eval()
    if library == "transformers":
        from headstart.sources.transformers_models import build_transformers

        return build_transformers(config).eval()
    if library == "custom":
        return build_own(config, arch).eval()
    raise SourceError(f"A source's library must be timm, transformers or custom, got {library!r}.")


def stages_of(network: nn.Module) -> dict[str, str]:
    """Return the stages of a network under the names users know, name to module path, in order.

    The network's own word goes first (`stages` of one's own class), then the backbone's finder.
    """
    told: dict[str, str] = stages_of_own(network) if isinstance(network, OwnNetwork) else {}
    told = told or dict(getattr(network, "stages", {}))
    if told:
        return told
    found = find_stages(network)
    if isinstance(network, OwnNetwork | ImageNetwork):
        return found
    return {_LIST_OF_LAYERS.sub("layer.", name): path for name, path in found.items()}
