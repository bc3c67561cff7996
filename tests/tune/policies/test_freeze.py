"""Frozen means frozen: gradients, modes, statistics, dropout and optimizer, on real small architectures."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from freeze_networks import ARCHITECTURES, N_ITEMS, albert, timm_backbone
from torch import nn
from tune_networks import States, chain, labelled_loop, linear_head

from headstart.backbone import Backbone
from headstart.errors import OptionError, TrainingError
from headstart.tune import Freeze, Policy, Recipe
from headstart.tune.adapters.attach import is_adapter
from headstart.tune.feeds.feed import Labelled
from headstart.tune.feeds.stored import StoredFeed
from headstart.tune.feeds.tensors import TensorFeed
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.setup import Network
from headstart.tune.policies.catalogue import CATALOGUE, kind_of
from headstart.tune.training.network_copy import network_to_train

POLICIES = (
    *(
        "none",
        "first:1",
        "until:{second}",
        "last:1",
        "only:{middle}",
        "norm",
        "bias",
        "lora:2",
        "dora:2",
        "ia3",
    ),
    *(
        "gradual",
        "lp-ft",
        "first:1,lora:2",
        "first:1,norm",
        "first:1,bias",
        "first:1,gradual",
        "first:1,lp-ft",
    ),
)
NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def test_every_policy_of_the_catalogue_is_tried_here() -> None:
    tried = {kind_of(text.format(second="b", middle="b")).name for text in POLICIES}
    assert tried == {kind.name for kind in CATALOGUE.values() if not kind.chooses} - {
        "all"
    }  # it trains nothing


def policy_of(text: str, stages: tuple[str, ...]) -> Policy:
    return Policy.parse(text.format(second=stages[1], middle=stages[len(stages) // 2]), stages)


def policy_loop(name: str, text: str, **settings: Any) -> tuple[Policy, Backbone, Loop]:
    """A training of an architecture under a policy, ready to run, and the network it starts from."""
    torch.manual_seed(0)
    plain, inputs = ARCHITECTURES[name]()
    plain.module.eval()
    plain.trace(inputs)
    policy = policy_of(text, plain.stages)
    source: Any = SimpleNamespace(network=plain.module, stages=plain.named_stages)
    backbone, freeze = network_to_train(
        source,
        policy,
        device=torch.device("cpu"),
        seed=0,
        inputs=inputs,  # type: ignore[arg-type]
    )
    with torch.no_grad():
        width = backbone(inputs).shape[1]
    cut = policy.resolved_cut
    feed = StoredFeed([States(backbone, inputs, cut)], cut, backbone) if cut else TensorFeed(inputs)
    loop = labelled_loop(
        Network(backbone, freeze, policy),
        Labelled(feed, np.arange(N_ITEMS) % 2),
        None,
        Recipe(**{"epochs": 2, "batch_size": 3, "lr": 1e-3, "head_lr": 1e-2, **settings}),
        head=linear_head(width, 2, backbone.n_stages - 1),
    )
    return policy, plain, loop


def named_by(policy: Policy, plain: Backbone) -> set[str]:
    """Parameters and statistics of the source's network that training under a policy may change."""
    trained = {plain.stages.index(stage) for stage in policy.trained}
    normalising = {
        f"{path}.{name}"
        for path, module in plain.module.named_modules()
        if isinstance(module, NORMS)
        for name, _ in module.named_parameters(recurse=False)
    }
    named = set()
    for name in [*dict(plain.module.named_parameters()), *dict(plain.module.named_buffers())]:
        own = name.rpartition(".")[2]
        of_kind = {
            "whole": True,
            "norm": name in normalising,
            "bias": own.endswith("bias"),
            "adapter": False,
        }[policy.what]
        is_value = own in STATISTICS or name in dict(plain.module.named_parameters())
        if plain.stage_of(name) in trained and is_value and of_kind:
            named.add(name)
    return named


def tensors_of(module: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers, under the names they had before adapters were put on."""
    named = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return {name.replace(".base_layer.", "."): tensor for name, tensor in named.items()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(
            *(name, text),
            marks=[pytest.mark.full]
            if name == "mobilenetv2" and text not in ("first:1", "norm", "lora:2")
            else [],
        )  # the slowest: resnet and efficientnet have its kinds of layers, so most of it is in the full run alone
        for name in ARCHITECTURES
        for text in POLICIES
    ],
)
def test_exactly_what_a_policy_names_changes(name: str, text: str) -> None:
    """No bit else: no running statistics, no counter; the optimizer holds nothing of it; dropout is off there."""
    if name == "albert" and text in ("until:{second}", "last:1", "only:{middle}"):
        with pytest.raises(OptionError, match="nothing is left to train"):
            policy_loop(name, text)
        return
    policy, plain, loop = policy_loop(name, text, steps=16 if text.endswith("gradual") else 4)
    before, moved_by = tensors_of(plain.module), dict[int, set[str]]()
    step = loop.optimizer.step

    def watched(*args: Any, **kwargs: Any) -> Any:
        done = step(*args, **kwargs)
        after = tensors_of(loop.network.backbone.module)
        moved_by[loop.at.epoch] = {n for n in before if not torch.equal(before[n], after[n])}
        assert_rests(loop)
        return done

    loop.optimizer.step = watched  # type: ignore[method-assign]
    loop.run()
    named = named_by(policy, plain)
    moved = moved_by[max(moved_by)]
    assert moved <= named, f"moved, and frozen: {sorted(moved - named)}"
    assert named <= moved, f"named, and still: {sorted(named - moved)}"
    for epoch, so_far in moved_by.items():
        open_stages = range(policy.cut_at(epoch), plain.n_stages)
        assert not policy.gradual or {plain.stage_of(n) for n in so_far} <= set(open_stages), epoch
    if policy.what == "adapter":
        adapters = [p for n, p in loop.network.backbone.module.named_parameters() if is_adapter(n)]
        assert adapters and all(loop.optimizer.state[p]["step"] == loop.schedule.n_steps for p in adapters)


def assert_rests(loop: Loop) -> None:
    """Whatever does not train now has no gradient, no optimizer state and no train mode, dropout too."""
    network, freeze = loop.network.backbone.module, loop.freeze
    training = set(freeze.trained_parameters())
    resting = {id(p) for name, p in network.named_parameters() if name not in training}
    held = {id(p) for group in loop.optimizer.param_groups for p in group["params"]}
    assert not resting & held and not resting & {id(p) for p in loop.optimizer.state}
    assert all(p.grad is None and not p.requires_grad for p in network.parameters() if id(p) in resting)
    for path, module in network.named_modules():
        if freeze.selection.name != "whole":
            assert is_adapter(path) or not module.training, path
    for index, stage in enumerate(freeze.stages):
        if stage in freeze.frozen:
            for module in loop.network.backbone.stage_modules(index):
                assert not any(part.training for part in module.modules()), stage


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_frozen_stages_stay_in_eval_mode_even_after_module_train(name: str) -> None:
    backbone, inputs = ARCHITECTURES[name]()
    backbone.trace(inputs)
    cut = 1 if name == "albert" else backbone.n_stages - 1
    freeze = Freeze(backbone, backbone.stages[:cut])
    frozen = set(freeze.frozen_tensors)
    for put_in_train_mode in (freeze.train, backbone.module.train):
        backbone.module.eval()
        put_in_train_mode()
        own_frozen = 0
        for path, module in backbone.module.named_modules():
            own = {f"{path}.{n}" if path else n for n, _ in module.named_parameters(recurse=False)}
            own |= {f"{path}.{n}" if path else n for n, _ in module.named_buffers(recurse=False)}
            if own & frozen:
                own_frozen += 1
                assert not module.training, path
            elif own:
                assert module.training, path
        assert own_frozen


def test_dropout_follows_its_stage() -> None:
    backbone, inputs = timm_backbone(
        "vit_tiny_patch16_224", img_size=32, depth=3, embed_dim=24, num_heads=2, pos_drop_rate=0.5
    )
    backbone.trace(inputs)
    freeze = Freeze(backbone, backbone.stages[:2])
    freeze.train()
    modules = dict(backbone.module.named_modules())
    assert not modules["pos_drop"].training
    assert not modules["blocks.0"].training and not modules["blocks.0.mlp.drop1"].training
    assert not modules["blocks"].training, "a container of frozen stages"
    assert modules["blocks.2.mlp.drop1"].training and modules["norm"].training


def test_release_gives_the_network_back() -> None:
    backbone = chain()
    backbone.module.train()
    backbone.module.stem.eval()
    backbone.module.block3[2].bias.requires_grad_(False)
    freeze = Freeze(backbone, ["stem", "block1"])
    freeze.release()
    assert not backbone.module.stem.training and backbone.module.block1.training
    assert not backbone.module.block3[2].bias.requires_grad
    assert backbone.module.stem[0].weight.requires_grad
    backbone.module.train()
    assert backbone.module.stem[1].training
    assert not any("train" in module.__dict__ for module in backbone.module.modules())


def test_a_copy_of_a_frozen_network_is_frozen_by_itself() -> None:
    backbone = chain()
    freeze = Freeze(backbone, ["stem"])
    other = copy.deepcopy(backbone.module)
    freeze.release()
    other.train()
    assert not other.stem[1].training and other.block1[1].training
    assert not any(module.training for module in backbone.module.stem.modules())


def test_what_is_frozen_is_saved_by_name_and_restored() -> None:
    backbone = chain()
    freeze = Freeze(backbone, ["stem", "block1"])
    saved = freeze.state_dict()
    assert saved["frozen"] == ["stem", "block1"]
    for parameter in backbone.module.parameters():
        parameter.requires_grad_(False)
    freeze.load_state_dict(saved)
    assert list(freeze.trained_parameters()) == saved["trained_parameters"] != []
    other = Freeze(chain(), ["stem"])
    with pytest.raises(TrainingError, match="'frozen': it was stem, block1, it is stem"):
        other.load_state_dict(saved)


def test_weights_of_other_stages_are_refused() -> None:
    saved = Freeze(chain(), ["stem"]).trained_state()
    with pytest.raises(TrainingError, match="not those of the trained stages"):
        Freeze(chain(), ["stem", "block1"]).load_trained_state(saved)


def test_a_stage_that_is_not_there() -> None:
    with pytest.raises(OptionError, match=r"no stage 'stm'.*Did you mean 'stem'"):
        Freeze(chain(), ["stm"])


def test_stages_that_share_all_their_weights_with_frozen_ones() -> None:
    backbone, inputs = albert()
    backbone.trace(inputs)
    with pytest.raises(OptionError, match="nothing is left to train"):
        Freeze(backbone, backbone.stages[:2])
    assert all(p.requires_grad for p in backbone.module.parameters())
    later = Freeze(backbone, backbone.stages[:3], later=backbone.stages[:3])
    assert not later.trained_parameters()
    later.thaw(backbone.stages[1:])
    assert later.trained_parameters()


def test_what_the_network_itself_holds_fixed_stays_fixed() -> None:
    backbone = chain()
    backbone.module.block2[0].bias.requires_grad_(False)
    freeze = Freeze(backbone, ["stem"])
    assert "block2.0.bias" not in freeze.trained_parameters()
    assert "block2.0.weight" in freeze.trained_parameters()
    freeze.release()
    backbone.module.requires_grad_(False)
    assert "block2.0.bias" in Freeze(backbone, ["stem"]).trained_parameters()
