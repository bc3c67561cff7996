"""A text encoder with its class's own pooling (`--head standard`), as transformers' pipelines open it.

That is the class for sequence classification without its last linear layer: BERT's pooler, RoBERTa's dense
layer on the first token, DistilBERT's pre_classifier. These layers have weights of chance and mean something
once trained; the encoder below them is the source's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from headstart.errors import OptionError
from headstart.sources.source import Source

MODE = "standard"
POOLING_STAGE = "pooling"
_LAST_LAYERS = ("classifier.out_proj", "classifier", "score")


class StandardTextNetwork(nn.Module):
    """A sequence classifier of transformers up to its last linear layer.

    Args:
        model: the classifier; its last layer is taken off.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        model.set_submodule(_last_layer(model), nn.Identity())

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return what the last layer would take, float32 of shape (N, D), of int64 tokens and mask (N, T)."""
        output: Any = self.model(input_ids=input_ids, attention_mask=attention_mask)
        features: Tensor = output.logits
        return features


def with_standard_head(source: Source) -> Source:
    """Return a source that ends in its class's own pooling; its other stages give what they gave.

    Images of timm and the Wav2Vec2 family end so already, and are returned as they are.

    Args:
        source: of transformers or timm.

    Raises:
        OptionError: the library has no class with a head for this source.
    """
    if source.modality != "text" or source.provenance.library != "transformers":
        if source.config.get("library") == "custom":
            raise OptionError(
                f"{source.uri} is a network of one's own: it has no standard head (--head auto)."
            )
        return source
    pooling = {"modes": [MODE], "normalise": False}
    config = {**source.config, "pooling": pooling}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = standard_network(config).eval()
    base = f"model.{network.get_submodule('model').base_model_prefix}."
    own = {name.removeprefix("model."): value for name, value in source.network.state_dict().items()}
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.startswith(base) and name.removeprefix(base) in own:
                tensor.copy_(own[name.removeprefix(base)])
    from headstart.sources.build import stages_of

    stages = {**stages_of(network), **_pooling_stage(network)}
    return replace(
        source,
        network=network,
        stages=stages,
        digest=hashlib.sha256(f"{source.digest} {MODE}".encode()).hexdigest(),
        config={**config, "stages": stages},
    )


def standard_network(config: Mapping[str, Any]) -> StandardTextNetwork:
    """Return the network of a text source's configuration up to its class's last layer, with fresh weights.

    Raises:
        OptionError: transformers has no sequence classifier of this kind.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

    from headstart.sources.transformers_models import library_config

    own = library_config(config)
    if type(own) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise OptionError(
            f"transformers has no sequence classifier of {config['architecture']} (--head auto)."
        )
    model: nn.Module = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(own)]._from_config(own)
    return StandardTextNetwork(model)


def _pooling_stage(network: StandardTextNetwork) -> dict[str, str]:
    """Return the stage of the class's own pooling, which has weights to train; {} where it has none."""
    base = network.get_submodule("model").base_model_prefix
    for name in (f"{base}.pooler", "pooler", "pre_classifier", "head", "classifier"):
        path = f"model.{name}"
        try:
            module = network.get_submodule(path)
        except AttributeError:
            continue
        if any(True for _ in module.parameters()):
            return {POOLING_STAGE: path}
    return {}


def _last_layer(model: nn.Module) -> str:
    modules = dict(model.named_modules())
    found = next((path for path in _LAST_LAYERS if isinstance(modules.get(path), nn.Linear)), None)
    if found is None:
        raise OptionError(f"{type(model).__name__} ends in no single linear layer (--head auto).")
    return found
