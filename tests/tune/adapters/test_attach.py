"""Adapters: nothing changes when they are put on, only they train, and nothing of them is left once merged."""

from __future__ import annotations

import copy
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from tune_networks import chain

from headstart.backbone import Backbone
from headstart.errors import OptionError, TrainingError
from headstart.testing import check_backbone
from headstart.testing.backbone import floats
from headstart.tune.adapters.attach import attach, is_adapter, merge
from headstart.tune.adapters.kinds import METHODS, Adapter, Method

sys.path.insert(0, str(Path(__file__).parents[2] / "backbone"))

from backbone_networks import TRANSFORMERS, make_timm, make_transformers

NETWORKS = {
    "resnet18": {"conv1", "layer4.1.conv2"},
    "regnety_002": {"s1.b1.conv1.conv"},
    "efficientnet_b0": {"conv_stem", "blocks.0.0.se.conv_reduce"},
    "mobilenetv2_050": {"conv_head"},
    "mobilenetv3_small_050": set(),
    "convnext_atto": {"stages.0.blocks.0.mlp.fc1", "stages.1.downsample.1"},
    "densenet121": set(),
    "vit_tiny_patch16_224": {"patch_embed.proj", "blocks.0.attn.qkv", "blocks.3.mlp.fc2"},
    "beit_base_patch16_224": {"blocks.0.attn.proj", "blocks.0.mlp.fc1"},
    "swin_tiny_patch4_window7_224": {"layers.0.blocks.0.attn.qkv", "layers.1.downsample.reduction"},
    "fastvit_t8": set(),
    "efficientformerv2_s0": set(),
    "bert": {"encoder.layer.0.attention.self.query", "encoder.layer.2.output.dense"},
    "distilbert": set(),
    "deberta-v2": {"encoder.layer.0.attention.self.query_proj"},
    "mpnet": set(),
    "modernbert": set(),
    "albert": {"encoder.albert_layer_groups.0.albert_layers.0.ffn"},
    "wav2vec2": {"feature_extractor.conv_layers.0.conv"},
    "wavlm": {"encoder.layers.0.feed_forward.intermediate_dense"},
    "whisper": {"conv1", "layers.0.self_attn.q_proj"},
    "vit": set(),
}
"""Network -> some of the layers that lora fits."""

LEFT_OUT = {
    "regnety_002": "s1.b1.conv2.conv",  # grouped
    "efficientnet_b0": "blocks.0.0.conv_dw",
    "convnext_atto": "stages.0.blocks.0.conv_dw",
    "beit_base_patch16_224": "blocks.0.attn.qkv",  # its weight is read, it is never called
    "wav2vec2": "encoder.pos_conv_embed.conv",  # weight norm
    "wavlm": "encoder.layers.0.attention.q_proj",  # read by a fused kernel
}


def make(name: str) -> tuple[nn.Module, Any]:
    if name in TRANSFORMERS:
        return make_transformers(name), TRANSFORMERS[name][1]()
    return make_timm(name)


def take_steps(backbone: Backbone, inputs: Any, n_steps: int = 2) -> None:
    """Train the adapters alone; the network's own parameters are as whoever freezes would set them."""
    named = dict(backbone.module.named_parameters())
    for name, parameter in named.items():
        parameter.requires_grad_(is_adapter(name))
    optimizer = torch.optim.AdamW([p for name, p in named.items() if is_adapter(name)], lr=1e-2)
    for _ in range(n_steps):
        optimizer.zero_grad()
        outputs = floats(backbone(inputs))
        torch.stack([output.square().mean() + output.mean() for output in outputs]).sum().backward()
        optimizer.step()


def classes(network: nn.Module) -> list[tuple[str, type[nn.Module], bool]]:
    return [(path, type(module), module.training) for path, module in network.named_modules()]


def assert_equal(got: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    for one, other in zip(got, expected, strict=True):
        largest = float(other.detach().abs().max())
        assert float((one - other).detach().abs().max()) <= tolerance * largest + 1e-9


EVERY_METHOD = (
    *("resnet18", "convnext_atto", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"),
    *("bert", "albert", "wav2vec2", "whisper"),
)
"""One network of each kind of layers: all methods in every run. The others have LoRA there, and all in the full one."""


@pytest.mark.parametrize(
    ("name", "method"),
    [
        pytest.param(
            name,
            method,
            marks=[pytest.mark.full] if name not in EVERY_METHOD and method != "lora" else [],
        )
        for name in NETWORKS
        for method in METHODS
    ],
)
@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")
def test_adapters_are_exact(name: str, method: Method) -> None:
    network, inputs = make(name)
    backbone = Backbone(network)
    with torch.no_grad():  # EfficientFormer keeps what it makes of its biases in eval mode, graph and all
        before = floats(backbone(inputs))
    start = copy.deepcopy(network.state_dict())
    identities, built = [id(p) for p in network.parameters()], classes(network)
    named = backbone.named_stages
    layers = attach(network, named, list(named), Adapter(method, 2), 0)
    if method == "lora":
        assert NETWORKS[name] <= set(layers)
    assert LEFT_OUT.get(name) not in layers
    backbone = Backbone(network, named)
    with torch.no_grad():
        assert_equal(floats(backbone(inputs)), before, 1e-6)
    take_steps(backbone, inputs)
    state = network.state_dict()
    own = {key.replace(".base_layer.", "."): value for key, value in state.items() if not is_adapter(key)}
    assert own.keys() == start.keys() and all(torch.equal(own[key], start[key]) for key in start)
    adapters = {key: p for key, p in network.named_parameters() if is_adapter(key)}
    assert all(p.grad is not None for p in adapters.values())
    assert all(any(key.startswith(f"{layer}.") for key in adapters) for layer in layers)
    check_backbone(network, inputs, named)
    trained = floats(backbone(inputs))
    merge(network)
    assert classes(network) == built and list(network.state_dict()) == list(start)
    assert [id(p) for p in network.parameters()] == identities
    assert_equal(floats(Backbone(network, named)(inputs)), trained, 1e-5)
    assert any(not torch.equal(one, other) for one, other in zip(trained, before, strict=True))
    assert not any(hasattr(module, "peft_config") for module in network.modules())


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_bits_and_leaves_the_random_state(method: Method) -> None:
    states = []
    for seed in (3, 3, 4):
        network, _ = make("vit_tiny_patch16_224")
        stages = Backbone(network).named_stages
        random = torch.get_rng_state()
        attach(network, stages, list(stages), Adapter(method), seed)
        assert torch.equal(torch.get_rng_state(), random)
        states.append(network.state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    if method != "ia3":
        assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


def test_only_layers_of_the_trained_stages_are_adapted() -> None:
    network, inputs = make("deberta-v2")
    stages = Backbone(network).named_stages
    last = list(stages)[-1]
    layers = attach(network, stages, [last], Adapter("lora", 4), 0)
    backbone = Backbone(network, stages)
    assert {backbone.stage_of(f"{layer}.base_layer.weight") for layer in layers} == {len(stages) - 1}
    adapters = [name for name, _ in network.named_parameters() if is_adapter(name)]
    assert {backbone.stage_of(name) for name in adapters} == {len(stages) - 1}
    cut = len(stages) - 1
    assert_equal(floats(backbone.suffix(backbone.prefix(inputs, cut), cut)), floats(backbone(inputs)), 1e-5)


def test_flags_and_modes_are_left_as_they_were() -> None:
    network, _ = make("bert")
    network.encoder.layer[0].train()
    network.encoder.layer[1].requires_grad_(False)
    flags = {name: p.requires_grad for name, p in network.named_parameters()}
    built = classes(network)
    stages = Backbone(network).named_stages
    attach(network, stages, list(stages), Adapter("dora", 4), 0)
    now = {name.replace(".base_layer", ""): p.requires_grad for name, p in network.named_parameters()}
    assert {name: now[name] for name in flags} == flags
    assert network.encoder.layer[0].output.dense.lora_A.training
    assert not network.encoder.layer[1].output.dense.lora_A.training
    merge(network)
    assert classes(network) == built
    assert {name: p.requires_grad for name, p in network.named_parameters()} == flags


def test_layers_shared_with_frozen_stages_are_left_out() -> None:
    network, inputs = make("albert")
    stages = Backbone(network).named_stages
    with pytest.raises(OptionError, match=r"no layer that lora fits in the trained stages \(layer.1\)"):
        attach(network, stages, ["layer.1"], Adapter("lora", 2), 0, inputs)
    assert attach(network, stages, ["layer.2"], Adapter("lora", 2), 0, inputs) == ("pooler",)
    merge(network)
    layers = attach(network, stages, ["layer.0", "layer.1", "layer.2"], Adapter("lora", 2), 0, inputs)
    assert len(layers) == 7


class Attention(nn.Module):
    """Stages of torch's own layers, which read weights of the layers inside them."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(100, 8)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0) for _ in range(2)
        )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        x = self.embed(input_ids)
        for block in self.blocks:
            x = block(x)
        return x.mean(dim=1)


def test_a_network_that_no_adapter_fits() -> None:
    with pytest.raises(
        OptionError, match=r"no layer that lora fits in the trained stages \(blocks.0, blocks.1\)"
    ):
        attach(
            Attention().eval(),
            {"blocks.0": "blocks.0", "blocks.1": "blocks.1"},
            ["blocks.0", "blocks.1"],
            Adapter("lora", 2),
            0,
        )


def test_a_network_whose_inputs_cannot_be_made_up() -> None:
    backbone = chain()
    layers = attach(backbone.module, backbone.named_stages, ["block2", "block3"], Adapter("lora", 2), 0)
    assert layers == ("block2.0", "block3.2")
    x = torch.randn(3, 1, 6, 6)
    seen = attach(chain().module, backbone.named_stages, ["block2", "block3"], Adapter("lora", 2), 0, x)
    assert seen == layers


def test_what_is_asked_for_must_be_there() -> None:
    backbone = chain()
    with pytest.raises(OptionError, match=r"no stage 'block4'.*Did you mean 'block"):
        attach(backbone.module, backbone.named_stages, ["block4"], Adapter("lora"), 0)
    with pytest.raises(OptionError, match=r"1 <= rank <= 8 must hold for lora here.*got rank=9"):
        attach(backbone.module, backbone.named_stages, backbone.stages, Adapter("lora", 9), 0)
    with pytest.raises(OptionError, match=r"1 <= rank must hold for dora, got rank=0"):
        Adapter("dora", 0)
    with pytest.raises(OptionError, match=r"no adapter 'lorra'.*Did you mean 'lora'"):
        Adapter("lorra")  # type: ignore[arg-type]
    attach(backbone.module, backbone.named_stages, backbone.stages, Adapter("lora", 2), 0)
    with pytest.raises(ValueError, match="adapters already"):
        attach(backbone.module, backbone.named_stages, backbone.stages, Adapter("lora", 2), 0)


def test_layers_narrower_than_the_rank_are_left_out() -> None:
    backbone = chain()
    layers = attach(backbone.module, backbone.named_stages, backbone.stages, Adapter("lora", 6), 0)
    assert layers == ("block1.0", "block2.0", "block3.2")


def test_rows_of_zeros_are_not_for_dora() -> None:
    backbone = chain()
    with torch.no_grad():
        backbone.module.block3[2].weight[3] = 0
    layers = attach(backbone.module, backbone.named_stages, ["block2", "block3"], Adapter("dora", 2), 0)
    assert layers == ("block2.0",)


def test_adapters_that_went_wrong_are_not_merged() -> None:
    backbone = chain()
    attach(backbone.module, backbone.named_stages, backbone.stages, Adapter("lora", 2), 0)
    weight = backbone.module.stem[0].weight.clone()
    with torch.no_grad():
        backbone.module.block3[2].lora_B["default"].weight[0] = float("nan")
        backbone.module.stem[0].lora_B["default"].weight.fill_(1.0)
    with pytest.raises(TrainingError, match=r"block3.2.lora_B.*not numbers"):
        merge(backbone.module)
    assert torch.equal(backbone.module.stem[0].weight, weight)


def test_merging_nothing_does_nothing() -> None:
    backbone = chain()
    before = copy.deepcopy(backbone.module.state_dict())
    merge(backbone.module)
    assert all(torch.equal(value, before[key]) for key, value in backbone.module.state_dict().items())


def test_conv1d_of_transformers_beside_linear_layers_says_nothing() -> None:
    from transformers.pytorch_utils import Conv1D

    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 8), nn.GELU(), Conv1D(5, 8), nn.Linear(5, 5)).eval()
    x = torch.randn(4, 6)
    for method in METHODS:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            layers = attach(network, {"a": "0", "b": "2"}, ["a", "b"], Adapter(method, 2), 0, x)
        assert layers == ("0", "2", "3")
        take_steps(Backbone(network, {"a": "0", "b": "2"}), x)
        trained = network(x)
        merge(network)
        assert_equal([network(x)], [trained], 1e-5)


@pytest.mark.real
def test_minilm_learns_through_adapters(shared: Path) -> None:
    from headstart.data import read_examples
    from headstart.data.loading import load_batches
    from headstart.sources import load_source

    examples = read_examples(shared / "data" / "sst2" / "sst2.csv").take(np.arange(16))
    assert examples.labels is not None
    source = load_source(str(shared / "weights" / "all-MiniLM-L6-v2"))
    ((_, inputs),) = load_batches(examples.items, source.preprocessing, [np.arange(16)], threads=1)
    labels = torch.tensor([examples.classes.index(label) for label in examples.labels])
    n_layers = len(attach(source.network, source.stages, list(source.stages), Adapter("lora", 8), 0))
    assert n_layers == 36
    backbone, head = Backbone(source.network, source.stages), nn.Linear(384, 2)
    named = dict(source.network.named_parameters())
    trained = [p for name, p in named.items() if is_adapter(name)]
    optimizer = torch.optim.AdamW([*trained, *head.parameters()], lr=2e-3)
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(head(backbone(inputs)), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0], losses


def test_names_of_adapters() -> None:
    assert is_adapter("encoder.layer.0.lora_A.default.weight") and is_adapter("ia3_l.default")
    assert not is_adapter("encoder.explora_A.weight")
