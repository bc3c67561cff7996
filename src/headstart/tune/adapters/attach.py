"""Adapters: small trained additions to frozen layers, attached in place and merged into the weights later.

attach(network, stages, trained, Adapter("lora", 8), seed)    # the output is as before
...                                                           # only parameters with is_adapter(name) train
merge(network)                                                # a plain network again, adapters in its weights

peft makes the layers; `adaptable_layers` decides which layers are adapted. A low-rank adapter adds
`alpha / rank * B A` to a weight, B zero at the start (Hu et al. 2021, section 4.1), with alpha = 2 * rank. In
the paper alpha is set once and never tuned, so that the rank can change without the rate; with twice the rank,
the factor of the addition is 2 at every rank. ia3 multiplies channels by gains that are 1 at the start (Liu et
al. 2022).

After `merge` nothing of peft is left: module classes and tensor names are those from before, so that what is
saved, exported or reloaded cannot lose the adapters.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from headstart.errors import TrainingError
from headstart.randomness import seeded
from headstart.tune.adapters.kinds import Adapter, is_adapter
from headstart.tune.adapters.layers import Inputs, adaptable_layers

__all__ = ["Adapter", "attach", "is_adapter", "merge"]

_MEANINGLESS = r"fan_in_fan_out is set to "  # peft corrects this itself for each layer, and warns each time


def attach(
    network: nn.Module,
    stages: Mapping[str, str],
    trained: Sequence[str],
    adapter: Adapter,
    seed: int,
    inputs: Inputs | None = None,
) -> tuple[str, ...]:
    """Attach adapters to the layers of some stages, in place; the network's output stays as it is.

    What trains is not decided here: the network's own parameters keep their `requires_grad`. Stage paths stay
    valid; a new Backbone is needed after.

    Args:
        network: the network.
        stages: stage name -> module path, in order.
        trained: names of the stages whose layers get adapters.
        adapter: its kind and rank.
        seed: the same seed gives the same bits; the global random state is left as it was.
        inputs: a few items to see how layers are used; None: made up.

    Returns:
        Paths of the adapted layers, in the network's order.

    Raises:
        OptionError: there is no such stage, no layer fits, or each is narrower than the rank.
        ValueError: the network has adapters already.
    """
    if next(_adapted(network), None) is not None:
        raise ValueError("the network has adapters already; merge them first")
    layers = adaptable_layers(network, stages, trained, adapter, inputs)
    flags = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    try:
        with seeded(seed), _without_meaningless_warnings():
            _inject(network, layers, adapter)
        for path, layer in layers.items():
            _let_pass_for(network.get_submodule(path), layer)
    except BaseException:
        _unload(network)
        raise
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)
    return tuple(layers)


def merge(network: nn.Module) -> None:
    """Add the adapters to the weights, in place, and restore the network's own layers.

    Does nothing to a network without adapters.

    Raises:
        TrainingError: an adapter holds values that are not numbers; nothing is changed.
    """
    added = {name: parameter for name, parameter in network.named_parameters() if is_adapter(name)}
    if not added:  # importing peft takes seconds
        return
    for name, parameter in added.items():
        if not torch.isfinite(parameter).all():
            raise TrainingError(
                f"the adapter '{name}' holds values that are not numbers. Lower lr, or set clip_norm"
            )
    with torch.no_grad():
        for _, module in _adapted(network):
            module.merge()
    _unload(network)


def _inject(network: nn.Module, layers: Mapping[str, nn.Module], adapter: Adapter) -> None:
    """Let peft replace the layers; it leaves its configuration on the module it gets, so it gets a holder."""
    from peft import inject_adapter_in_model

    holder = nn.Module()
    holder.network = network
    inject_adapter_in_model(_configuration(layers, adapter), holder)


def _configuration(layers: Mapping[str, nn.Module], adapter: Adapter) -> Any:
    """peft's configuration for exactly these layers (a list of names would match endings of names too)."""
    from peft import IA3Config, LoraConfig

    if adapter.method == "ia3":
        # A gain of the input if the layer narrows, as the last one of a feedforward does; else of the output.
        narrowing = [
            p for p, m in layers.items() if isinstance(m, nn.Linear) and m.in_features > m.out_features
        ]
        return IA3Config(target_modules=_any_of(layers), feedforward_modules=_any_of(narrowing))
    return LoraConfig(
        r=adapter.rank,
        lora_alpha=2 * adapter.rank,
        use_dora=adapter.method == "dora",
        target_modules=_any_of(layers),
    )


def _any_of(paths: Iterator[str] | Sequence[str] | Mapping[str, Any]) -> str:
    """An expression that matches these paths below the holder and no other; for no paths, nothing."""
    return "|".join(re.escape(f"network.{path}") for path in paths) or r"(?!)"


def _let_pass_for(adapted: nn.Module, layer: nn.Module) -> None:
    """Give an adapted layer the mode and the constants of its layer (Whisper reads its `stride`)."""
    for name in getattr(layer, "__constants__", ()):
        if not hasattr(adapted, name) and hasattr(layer, name):
            setattr(adapted, name, getattr(layer, name))
    for module in adapted.modules():
        module.training = layer.training  # peft makes its modules in train mode


def _adapted(network: nn.Module) -> Iterator[tuple[str, Any]]:
    from peft.tuners.tuners_utils import BaseTunerLayer

    return ((path, module) for path, module in network.named_modules() if isinstance(module, BaseTunerLayer))


def _unload(network: nn.Module) -> None:
    for path, module in list(_adapted(network)):
        network.set_submodule(path, module.get_base_layer())


@contextmanager
def _without_meaningless_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=_MEANINGLESS)
        yield
