"""A text encoder with its class's own pooling (`--head standard`), as transformers' pipelines open it.

That is the class for sequence classification without its last linear layer: BERT's pooler, RoBERTa's dense
layer on the first token, DistilBERT's pre_classifier. These layers begin with random weights and have to be
trained; the encoder below them is the source's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from headstart.errors import OptionError
from headstart.sources.source import Source
from headstart.sources.transformers.models import library_config

MODE = "standard"
POOLING_STAGE = "pooling"
LAST_LAYERS = ("classifier.out_proj", "classifier", "score")


class StandardTextNetwork(nn.Module):
    """A sequence classifier of transformers up to its last linear layer.

    Args:
        model: the classifier; its last layer is taken off.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        model.set_submodule(_last_layer(model), nn.Identity())

    def library_inputs(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """Return the inputs of the library's own class."""
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the last layer's input, float32 of shape (N, D), of int64 tokens and mask (N, T)."""
        output: Any = self.model(input_ids=input_ids, attention_mask=attention_mask)
        features: Tensor = output.logits
        return features


def with_class_pooling(source: Source) -> tuple[StandardTextNetwork, dict[str, Any]]:
    """Return a network that ends in its class's own pooling, its encoder a source's, and its configuration.

    Args:
        source: of texts, of transformers.

    Raises:
        OptionError: transformers has no sequence classifier of this kind.
    """
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
    return network, config


def standard_network(config: Mapping[str, Any]) -> StandardTextNetwork:
    """Return the network of a text source's configuration up to its class's last layer, with random weights.

    Raises:
        OptionError: transformers has no sequence classifier of this kind.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

    own = library_config(config)
    if type(own) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise OptionError(
            f"transformers has no sequence classifier of {config['architecture']} (--head auto)."
        )
    model: nn.Module = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(own)]._from_config(own)
    return StandardTextNetwork(model)


def pooling_stage(network: StandardTextNetwork) -> dict[str, str]:
    """Return the stage of the class's own pooling, which has weights to train; {} if it has none."""
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
    found = next((path for path in LAST_LAYERS if isinstance(modules.get(path), nn.Linear)), None)
    if found is None:
        raise OptionError(f"{type(model).__name__} ends in no single linear layer (--head auto).")
    return found
