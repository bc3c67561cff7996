"""Frozen means frozen: gradients, modes, statistics, dropout and optimizer, on real small architectures."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from tune_networks import States, chain, linear_head

from headstart.backbone import Backbone
from headstart.errors import OptionError, TrainingError
from headstart.heads.linear import LinearHeadModule
from headstart.tune import Freeze, Recipe
from headstart.tune.feeds import Labelled, StoredFeed, TensorFeed
from headstart.tune.loop import Loop

Inputs = Tensor | dict[str, Tensor]
N_ITEMS = 6


class Mean(nn.Module):
    """The mean of a transformer's last hidden states, as sources give it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: Tensor) -> Tensor:
        return self.model(**inputs).last_hidden_state.mean(dim=1)


def timm_backbone(name: str, **options: object) -> tuple[Backbone, Inputs]:
    import timm

    network = timm.create_model(name, num_classes=0, **options)
    size = options.get("img_size", 64)
    return Backbone(network), torch.randn(N_ITEMS, 3, size, size)


def bert(**options: object) -> tuple[Backbone, Inputs]:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=24
    )
    return Backbone(Mean(BertModel(config, add_pooling_layer=False))), tokens()


def albert() -> tuple[Backbone, Inputs]:
    from transformers import AlbertConfig, AlbertModel

    config = AlbertConfig(
        vocab_size=50,
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=24,
    )
    return Backbone(Mean(AlbertModel(config, add_pooling_layer=False))), tokens()


def wav2vec2() -> tuple[Backbone, Inputs]:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=24,
        conv_dim=(8, 8),
        conv_stride=(5, 4),
        conv_kernel=(10, 8),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        layerdrop=0.5,
        mask_time_prob=0.5,
        mask_time_length=2,
    )
    return Backbone(Mean(Wav2Vec2Model(config))), {"input_values": torch.randn(N_ITEMS, 800)}


def tokens() -> dict[str, Tensor]:
    return {
        "input_ids": torch.randint(1, 50, (N_ITEMS, 7)),
        "attention_mask": torch.ones(N_ITEMS, 7, dtype=torch.int64),
    }


ARCHITECTURES: dict[str, Callable[[], tuple[Backbone, Inputs]]] = {
    "resnet": lambda: timm_backbone("resnet10t"),
    "mobilenetv2": lambda: timm_backbone("mobilenetv2_035"),
    "efficientnet, drop path": lambda: timm_backbone("efficientnet_lite0", drop_path_rate=0.5),
    "vit, dropout": lambda: timm_backbone(
        "vit_tiny_patch16_224", img_size=32, depth=3, embed_dim=24, num_heads=2, proj_drop_rate=0.3
    ),
    "convnext": lambda: timm_backbone(
        "convnext_atto", depths=(1, 1, 1, 1), dims=(8, 8, 8, 8), drop_path_rate=0.5
    ),
    "bert": bert,
    "albert": albert,
    "wav2vec2, layer drop and masking": wav2vec2,
}


def train(backbone: Backbone, inputs: Inputs, cut: int, epochs: int = 2) -> tuple[Freeze, Loop]:
    labels = np.arange(N_ITEMS) % 2
    states = States(backbone, inputs, cut)
    freeze = Freeze(backbone, backbone.stages[:cut])
    feed = StoredFeed([states], cut, backbone) if cut else TensorFeed(inputs)
    with torch.no_grad():
        width = backbone(inputs).shape[1]
    loop = Loop(
        backbone,
        LinearHeadModule(linear_head(width, 2, backbone.n_stages - 1)),
        freeze,
        Labelled(feed, labels),
        None,
        Recipe(epochs=epochs, batch_size=3, lr=1e-3, head_lr=1e-2),
    )
    loop.run()
    return freeze, loop


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_bit_of_a_frozen_stage_changes_and_every_trained_stage_does(name: str) -> None:
    torch.manual_seed(0)
    backbone, inputs = ARCHITECTURES[name]()
    start = copy.deepcopy(backbone.module.eval().state_dict())
    for cut in sorted({1, backbone.n_stages // 2, backbone.n_stages - 1}):
        backbone.module.load_state_dict(start)
        if name == "albert" and cut > 1:
            continue
        freeze, loop = train(backbone, inputs, cut)
        after = {**dict(backbone.module.named_parameters()), **dict(backbone.module.named_buffers())}
        for tensor in freeze.frozen_tensors:
            if tensor in start:
                assert torch.equal(after[tensor], start[tensor]), f"{tensor} moved at cut {cut}"
        moved = {
            backbone.stage_of(n) for n, t in after.items() if n in start and not torch.equal(t, start[n])
        }
        trained = {backbone.stage_of(n) for n in freeze.trained_tensors}
        assert name == "albert" or trained == set(range(cut, backbone.n_stages))
        assert moved == trained, f"trained stages that did not move at cut {cut}"
        held = {id(p) for group in loop.optimizer.param_groups for p in group["params"]}
        frozen = set(freeze.frozen_tensors)
        assert not held & {id(p) for n, p in backbone.module.named_parameters() if n in frozen}
        assert all(p.grad is None for n, p in backbone.module.named_parameters() if n in frozen)
        freeze.release()


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


def test_nothing_frozen_trains_everything() -> None:
    torch.manual_seed(0)
    backbone, inputs = timm_backbone("mobilenetv2_035")
    start = copy.deepcopy(backbone.module.state_dict())
    freeze, _ = train(backbone, inputs, 0)
    assert freeze.frozen_tensors == ()
    still = [n for n, p in backbone.module.named_parameters() if torch.equal(p, start[n])]
    assert still == []


def test_what_the_network_itself_holds_fixed_stays_fixed() -> None:
    backbone = chain()
    backbone.module.block2[0].bias.requires_grad_(False)
    freeze = Freeze(backbone, ["stem"])
    assert "block2.0.bias" not in freeze.trained_parameters()
    assert "block2.0.weight" in freeze.trained_parameters()
    freeze.release()
    backbone.module.requires_grad_(False)
    assert "block2.0.bias" in Freeze(backbone, ["stem"]).trained_parameters()
