"""The cut is exact: outputs, gradients and items, on every family of networks."""

from __future__ import annotations

import copy
import doctest

import pytest
import torch
from backbone_networks import TIMM, TRANSFORMERS, make_timm, make_transformers, texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import headstart.backbone.cut
from headstart.backbone import Backbone, State
from headstart.errors import ArchitectureError
from headstart.testing import check_backbone


@pytest.mark.parametrize("name", TIMM)
def test_timm_is_cut_exactly(name: str) -> None:
    check_backbone(*make_timm(name))


@pytest.mark.full
@pytest.mark.parametrize("name", TIMM)
def test_timm_is_cut_exactly_everywhere(name: str) -> None:
    check_backbone(*make_timm(name, n_items=4), cuts="all")


@pytest.mark.parametrize("name", TRANSFORMERS)
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    hidden=st.sampled_from([8, 12]),
    layers=st.integers(2, 4),
    n_items=st.integers(3, 4),
    seed=st.integers(0, 99),
)
def test_transformers_are_cut_exactly(name: str, hidden: int, layers: int, n_items: int, seed: int) -> None:
    network = make_transformers(name, seed, hidden=hidden, layers=layers)
    check_backbone(network, TRANSFORMERS[name][1](n_items=n_items, seed=seed))


@pytest.mark.full
@pytest.mark.parametrize("name", TRANSFORMERS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    hidden=st.sampled_from([8, 12, 16]),
    layers=st.integers(2, 6),
    heads=st.sampled_from([1, 2, 4]),
    n_items=st.integers(3, 6),
    seed=st.integers(0, 9999),
)
def test_transformers_are_cut_exactly_everywhere(
    name: str, hidden: int, layers: int, heads: int, n_items: int, seed: int
) -> None:
    network = make_transformers(name, seed, hidden=hidden, layers=layers, heads=heads)
    check_backbone(network, TRANSFORMERS[name][1](n_items=n_items, seed=seed), cuts="all")


class Plain(nn.Module):
    """Three stages of any kind, to be broken in one way each."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Linear(6, 8)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(8, 8), nn.ReLU(inplace=True)) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return x


class Skips(Plain):
    """Uses its input and its stem's output again at the end."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        stem = self.stem(x)
        h = stem
        for block in self.blocks:
            h = block(h)
        return h + 2 * stem + x.mean(dim=1, keepdim=True)


class MixesItems(Plain):
    """Normalises over the batch in the prefix."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x - x.mean(dim=0))


class WritesInPlace(Plain):
    """Writes into what reaches each stage."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x += 1
            x = 1.0 * block(x)
        return x


class Remembers(Plain):
    """Its last stage reads what its first left on the object."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = self.stem(x)
        self.kept = [self.seen.sum(dim=1, keepdim=True).tolist()]
        h = self.seen
        for block in self.blocks:
            h = block(h)
        return h * torch.tensor(self.kept[0])


class Skipped(Plain):
    """Never calls its second block."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.blocks[2](self.blocks[0](self.stem(x)))


@pytest.mark.parametrize("kind", [Plain, Skips, WritesInPlace])
def test_any_order_of_use_is_exact(kind: type[nn.Module]) -> None:
    backbone = check_backbone(kind().eval(), torch.randn(4, 6), cuts="all")
    assert backbone.stages == ("stem", "blocks.0", "blocks.1", "blocks.2")


def test_only_what_a_later_stage_uses_is_kept() -> None:
    x = torch.randn(4, 6)
    assert set(Backbone(Plain().eval()).prefix(x, 2).tensors) == {"arg.0"}
    assert set(Backbone(Skips().eval()).prefix(x, 3).tensors) == {"arg.0", "answer.0", "input."}


@pytest.mark.parametrize("kind", [MixesItems, Skipped])
def test_what_cannot_be_cut_is_an_error(kind: type[nn.Module]) -> None:
    with pytest.raises(ArchitectureError, match=kind.__name__):
        Backbone(kind().eval()).prefix(torch.randn(4, 6), 2)


def test_values_hidden_from_tensors_are_an_error_or_exact() -> None:
    network, x = Remembers().eval(), torch.randn(4, 6)
    backbone = Backbone(network)
    assert torch.isfinite(network(x)).all()
    try:
        output = backbone.suffix(backbone.prefix(x, 2), 2)
    except ArchitectureError:
        return
    torch.testing.assert_close(output, network(x))


def test_names_of_stages_are_checked() -> None:
    with pytest.raises(ArchitectureError, match=r"stage 'b'.*Did you mean 'blocks.1'"):
        Backbone(Plain(), {"a": "stem", "b": "blocks,1"})
    with pytest.raises(ArchitectureError, match="order they run"):
        Backbone(Plain().eval(), ["stem", "blocks.1", "blocks.0"]).prefix(torch.randn(3, 6), 1)
    with pytest.raises(ArchitectureError, match="No list of blocks"):
        Backbone(nn.Linear(3, 3))


def test_the_prefix_costs_nothing_in_the_suffix() -> None:
    backbone = Backbone(Plain().eval())
    state = backbone.prefix(torch.randn(4, 6), 2)
    called: list[str] = []
    for name, part in backbone.module.named_modules():
        if isinstance(part, nn.Linear):
            part.register_forward_hook(lambda *_, name=name: called.append(name))
    linear = nn.functional.linear
    n_multiplied = 0

    def counted(*args: torch.Tensor) -> torch.Tensor:
        nonlocal n_multiplied
        n_multiplied += 1
        return linear(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.functional, "linear", counted)
        backbone.suffix(state, 2)
    assert n_multiplied == 2
    assert [name for name in called if name.startswith("blocks")] == ["blocks.1.0", "blocks.2.0"]


def test_a_state_is_not_changed_by_the_suffix() -> None:
    backbone = Backbone(WritesInPlace().eval())
    state = backbone.prefix(torch.randn(4, 6), 2)
    before = copy.deepcopy(state.tensors)
    first = backbone.suffix(state, 2)
    torch.testing.assert_close(backbone.suffix(state, 2), first, rtol=0, atol=0)
    assert all(torch.equal(before[name], tensor) for name, tensor in state.tensors.items())


def test_modes_are_left_as_they_were() -> None:
    network, x = make_timm("resnet18", n_items=4)
    network.train()
    network.layer1.eval()
    before = [part.training for part in network.modules()]
    backbone = Backbone(network)
    state = backbone.prefix(x, 3)
    backbone.pooled(x)
    backbone.suffix(state, 3)
    assert [part.training for part in network.modules()] == before


def test_the_suffix_trains_while_the_prefix_stays() -> None:
    """As the whole network does with its prefix in eval mode, batch statistics included."""
    network, x = make_timm("resnet18", n_items=4)
    twin = copy.deepcopy(network)
    for part in (network.layer3, network.layer4, twin.layer3, twin.layer4):
        part.train()
    backbone = Backbone(network)
    output = backbone.suffix(backbone.prefix(x, 3), 3)
    torch.testing.assert_close(output, twin(x))
    for name, buffer in twin.named_buffers():
        torch.testing.assert_close(network.get_buffer(name), buffer)


def test_dropped_layers_never_lose_the_state() -> None:
    """Wav2Vec2 skips layers at random in train mode; the layer at the cut must not be one of them."""
    network = make_transformers("wav2vec2")
    network.config.layerdrop = 0.95
    inputs = TRANSFORMERS["wav2vec2"][1]()
    backbone = Backbone(network)
    state = backbone.prefix(inputs, 2)
    network.train()
    for _ in range(20):
        assert torch.isfinite(backbone.suffix(state, 2).last_hidden_state).all()


def test_batches_without_padding_join_those_with() -> None:
    """transformers drops a mask without padding: the state must not depend on that."""
    network = make_transformers("bert")
    backbone = Backbone(network)
    padded = texts(4, 9)
    full = {"input_ids": padded["input_ids"], "attention_mask": torch.ones_like(padded["attention_mask"])}
    for first, second in [(full, padded), (padded, full)]:
        joined = State.join([backbone.prefix(first, 2), backbone.prefix(second, 2)])
        got = backbone.suffix(joined, 2).last_hidden_state
        whole = torch.cat([backbone(first).last_hidden_state, backbone(second).last_hidden_state])
        torch.testing.assert_close(got, whole, rtol=0, atol=1e-5)


def test_one_backbone_serves_every_length_and_batch() -> None:
    network = make_transformers("deberta-v2")
    backbone = Backbone(network)
    for n_items, length in [(1, 4), (5, 9), (2, 17)]:
        inputs = texts(n_items, length, seed=length)
        got = backbone.suffix(backbone.prefix(inputs, 2), 2).last_hidden_state
        torch.testing.assert_close(got, backbone(inputs).last_hidden_state, rtol=0, atol=1e-5)


def test_a_replaced_stage_is_an_error() -> None:
    backbone = Backbone(Plain().eval())
    x = torch.randn(3, 6)
    state = backbone.prefix(x, 2)
    backbone.module.blocks[1] = nn.Identity()
    with pytest.raises(ArchitectureError, match="make the Backbone again"):
        backbone.suffix(state, 2)


def test_a_backbone_is_copied_with_its_network() -> None:
    network, x = make_timm("mobilenetv3_small_050")
    backbone = Backbone(network)
    twin = copy.deepcopy(backbone)
    assert twin.module is not network and twin.stages == backbone.stages
    torch.testing.assert_close(twin.suffix(twin.prefix(x, 2), 2), network(x))


@pytest.mark.parametrize(
    ("name", "owned"),
    [
        ("deberta-v2", {"encoder.rel_embeddings.weight": 0, "encoder.LayerNorm.weight": 0}),
        ("mpnet", {"encoder.relative_attention_bias.weight": 0, "pooler.dense.weight": 3}),
        ("wav2vec2", {"encoder.layer_norm.weight": 0}),
        ("wav2vec2-stable", {"encoder.layer_norm.weight": 3, "encoder.layers.1.attention.k_proj.bias": 2}),
        ("albert", {"encoder.embedding_hidden_mapping_in.weight": 0, "pooler.weight": 3}),
        ("whisper", {"conv1.weight": 0, "embed_positions.weight": 0, "layer_norm.bias": 3}),
        ("bert", {"embeddings.word_embeddings.weight": 0, "encoder.layer.2.output.dense.bias": 3}),
    ],
)
def test_every_parameter_belongs_to_the_stage_that_first_uses_it(name: str, owned: dict[str, int]) -> None:
    backbone = Backbone(make_transformers(name))
    early = {parameter: backbone.stage_of(parameter) for parameter in owned}
    backbone.prefix(TRANSFORMERS[name][1](), 1)
    assert early == owned
    assert {parameter: backbone.stage_of(parameter) for parameter in owned} == owned


def test_stage_modules_cover_a_stage_once() -> None:
    network, _ = make_timm("resnet18")
    backbone = Backbone(network)
    assert backbone.stage_modules(2) == [network.layer2]
    stem = backbone.stage_modules(0)
    assert network.conv1 in stem and network.bn1 in stem and network.layer1 not in stem
    covered = {
        id(p) for index in range(5) for part in backbone.stage_modules(index) for p in part.parameters()
    }
    assert covered == {id(p) for p in network.parameters()}


def test_the_example_in_the_docstring_runs() -> None:
    result = doctest.testmod(headstart.backbone.cut)
    assert (result.attempted > 5, result.failed) == (True, 0)
