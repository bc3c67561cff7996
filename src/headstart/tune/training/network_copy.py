"""The network of a training: a copy of the source's, with the policy's adapters and freezing; and its plain weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from headstart import processes
from headstart.backbone import Backbone
from headstart.errors import OptionError
from headstart.sources.source import Source
from headstart.tune.adapters.attach import attach, merge
from headstart.tune.policies.freeze import Freeze
from headstart.tune.policies.policy import Policy
from headstart.tune.recipes.recipe import Recipe
from headstart.tune.speedups.attention import quicken_attention
from headstart.tune.speedups.dropout import quicken_dropout
from headstart.tune.speedups.seen_rows import train_seen_rows, whole_again


def network_to_train(
    source: Source,
    policy: Policy,
    *,
    device: torch.device,
    seed: int,
    inputs: Mapping[str, Tensor] | None = None,
    tokens: Tensor | None = None,
) -> tuple[Backbone, Freeze]:
    """A copy of a source's network under a policy, and the owner of what is frozen in it.

    Args:
        source: not changed.
        policy: with a cut of its own.
        device: where the copy goes.
        seed: of the adapters' start.
        inputs: a few items, on which the backbone traces its stages; None: not yet.
        tokens: those in the training items, if rows of other tokens need not be trained.

    Raises:
        OptionError: nothing is left to train, or no layer takes the adapter.
    """
    network = copy.deepcopy(source.network).to(device)
    if device.type == "cuda":
        network = network.to(memory_format=torch.channels_last)  # no gain for training on a CPU
        if processes.count() > 1:  # PyTorch's own would lose the activation inside timm's layers
            from timm.layers import convert_sync_batchnorm

            network = convert_sync_batchnorm(network)
    if policy.adapter is not None:
        attach(network, source.stages, policy.trained, policy.adapter, seed, inputs)
    if device.type == "cpu":
        quicken_dropout(network)
        quicken_attention(network)
    if tokens is not None and inputs is not None:
        train_seen_rows(network, inputs, tokens)
    backbone = Backbone(network, source.stages)
    if inputs is not None:
        backbone.trace(inputs)
    later = policy.stages[policy.resolved_cut : policy.cut_at(1)]
    return backbone, Freeze(backbone, policy.frozen, policy.selection, later)


def check_batch_norm(source: Source, policy: Policy, recipe: Recipe, device: torch.device) -> None:
    """Refuse several processes on CPUs if batch normalisation would train: each would see its own items only.

    PyTorch's SyncBatchNorm, which normalises over the items of all, runs on GPUs only.

    Args:
        source: whose network would train.
        policy: what is frozen; a policy that has not chosen yet is not refused.
        recipe: with 0 epochs nothing runs in train mode.
        device: where it would train.

    Raises:
        OptionError: naming what to do instead.
    """
    if processes.count() == 1 or device.type != "cpu" or policy.cut is None:
        return
    if policy.what != "whole" or not recipe.epochs:
        return  # statistics rest
    backbone = Backbone(source.network, source.stages)
    trained = [stage for index, stage in enumerate(backbone.stages) if stage in policy.trained]
    normalised = {
        backbone.stages[backbone.stage_of(f"{path}.running_mean" if path else "running_mean")]
        for path, module in source.network.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats
    }
    if first := next((stage for stage in trained if stage in normalised), None):
        raise OptionError(
            f"'{first}' has batch normalisation, which several processes on CPUs cannot train: start one process, "
            "or keep its statistics at rest (--freeze all, norm or lora, or first:K with no such stage after K)"
        )


def plain_state(network: nn.Module) -> dict[str, Tensor]:
    """The weights of a plain network, float32 on the CPU: adapters merged, embedding tables whole.

    The network is not changed.
    """
    plain = copy.deepcopy(network)
    whole_again(plain)
    plain = plain.cpu()
    merge(plain)
    return {name: tensor.detach().contiguous().clone() for name, tensor in plain.state_dict().items()}
