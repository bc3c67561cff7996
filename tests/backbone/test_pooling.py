"""One vector a stage: means over an item's own positions, the same live and exported."""

from __future__ import annotations

import pytest
import torch
from backbone_networks import TRANSFORMERS, make_timm, make_transformers, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from headstart.backbone import Backbone
from headstart.backbone.pooling import channels_first, mean_of_map, own_frames, pool_positions


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 7), st.integers(1, 5), st.integers(0, 99), st.booleans())
def test_means_and_deviations_are_numpys(n: int, t: int, d: int, seed: int, deviation: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(n, t, d, generator=generator)
    mask = torch.rand(n, t, generator=generator) > 0.4
    mask[:, 0] = True
    got = pool_positions(values, mask, deviation).numpy()
    for row, own, item in zip(got, mask.numpy(), values.numpy()):
        mean, std = item[own].mean(axis=0), item[own].std(axis=0)
        assert row[:d] == pytest.approx(mean, abs=1e-5)
        if deviation:
            assert row[d:] == pytest.approx(std, abs=2e-4)
    everything = pool_positions(values, torch.ones_like(mask), deviation)
    torch.testing.assert_close(pool_positions(values, None, deviation), everything, rtol=1e-4, atol=1e-4)


def test_own_frames_round_up() -> None:
    mask = own_frames(torch.tensor([1, 40, 41, 100]), 100, 10)
    assert mask.sum(dim=1).tolist() == [1, 4, 5, 10]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("order", [torch.channels_last, torch.contiguous_format])
def test_map_means_keep_float32_sums(dtype: torch.dtype, order: torch.memory_format) -> None:
    x_NCHW = (torch.randn(2, 24, 56, 56) + 3).to(dtype).contiguous(memory_format=order)
    expected = x_NCHW.double().mean(dim=(2, 3)).float()
    tolerance = 1e-5 if dtype == torch.float32 else 2**-8
    torch.testing.assert_close(mean_of_map(x_NCHW.permute(0, 2, 3, 1)), expected, rtol=tolerance, atol=0)


def test_where_features_lie() -> None:
    assert channels_first((2, 64, 7, 7), frozenset({64}))
    assert not channels_first((2, 7, 7, 64), frozenset({64}))
    assert not channels_first((2, 9, 64), frozenset({64}))
    assert channels_first((2, 64, 9), frozenset({64}))
    assert channels_first((2, 64, 64, 100), frozenset({64}))
    assert not channels_first((2, 7, 9, 64), frozenset({64}))


@pytest.mark.parametrize(
    "name", ["resnet18", "swin_tiny_patch4_window7_224", "vit_tiny_patch16_224", "densenet121", "fastvit_t8"]
)
def test_vectors_are_means_of_what_stages_give(name: str) -> None:
    network, x = make_timm(name)
    backbone = Backbone(network)
    seen: dict[int, Tensor] = {}
    paths = list(backbone.named_stages.values())
    for index, path in enumerate(paths[1:], start=1):
        part = network.get_submodule(path)
        part.register_forward_hook(lambda m, a, out, index=index: seen.update({index: out}))
    network.get_submodule(paths[1]).register_forward_pre_hook(lambda m, a: seen.update({0: a[0]}))
    vectors = backbone.pooled(x)
    torch.testing.assert_close(vectors[-1], network(x))
    for index in range(backbone.n_stages - 1):
        value = seen[index]
        if name.startswith("swin"):
            value = value.permute(0, 3, 1, 2)
        expected = value.flatten(2).mean(dim=2) if value.ndim == 4 else value.mean(dim=1)
        torch.testing.assert_close(vectors[index], expected)


def test_texts_are_pooled_over_their_own_tokens() -> None:
    network = make_transformers("bert")
    backbone, inputs = Backbone(network), texts(4, 9)
    hidden = network(**inputs, output_hidden_states=True).hidden_states
    vectors = backbone.pooled(inputs)
    for index, value in enumerate(hidden):
        for item in range(4):
            own = inputs["attention_mask"][item].bool()
            torch.testing.assert_close(vectors[index][item], value[item, own].mean(dim=0))
    alone = {name: value[:1, : int(inputs["attention_mask"][0].sum())] for name, value in inputs.items()}
    for one, batch in zip(backbone.pooled(alone), vectors):
        torch.testing.assert_close(one[0], batch[0], rtol=1e-4, atol=1e-5)


class Recordings(nn.Module):
    """A spectrum and a few layers over its frames, or over patches of them."""

    def __init__(self, patch_frames: int = 0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patch_frames = patch_frames
        self.front = nn.Conv1d(1, 12, 16, stride=16)
        kinds = [nn.Sequential(nn.Linear(12, 12), nn.Tanh()) for _ in range(2)]
        self.layers = nn.ModuleList(kinds)
        self.project = nn.Linear(12, 5)

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        h = self.front(waveform[:, None]).transpose(1, 2)
        if self.patch_frames:
            h = h.reshape(-1, self.patch_frames, 12)
        for layer in self.layers:
            h = layer(h)
        return self.project(h.reshape(waveform.shape[0], -1, 12)).mean(dim=1)


def test_recordings_have_deviations_over_their_own_frames() -> None:
    network = Recordings().eval()
    waveform, lengths = torch.randn(3, 160), torch.tensor([160, 81, 64])
    backbone = Backbone(network)
    assert backbone.stages == ("stem", "layers.0", "layers.1")
    vectors = backbone.pooled({"waveform": waveform, "lengths": lengths})
    assert [tuple(vector.shape) for vector in vectors] == [(3, 24), (3, 24), (3, 29)]
    h = network.front(waveform[:, None]).transpose(1, 2)
    for item, n_frames in enumerate([10, 6, 4]):
        own = h[item, :n_frames]
        torch.testing.assert_close(vectors[0][item, :12], own.mean(dim=0))
        torch.testing.assert_close(vectors[0][item, 12:], own.std(dim=0, correction=0), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(vectors[2][:, 24:], network(waveform, lengths))
    network.embedding_is_mean = True
    assert backbone.pooled({"waveform": waveform, "lengths": lengths})[2].shape == (3, 24)


def test_patches_of_a_recording_are_pooled_together() -> None:
    network = Recordings(patch_frames=2).eval()
    waveform, lengths = torch.randn(3, 160), torch.tensor([160, 64, 64])
    vectors = Backbone(network).pooled({"waveform": waveform, "lengths": lengths})
    h = network.front(waveform[:, None]).transpose(1, 2)
    torch.testing.assert_close(vectors[0][1, :12], h[1, :4].mean(dim=0))
    torch.testing.assert_close(vectors[0][0, :12], h[0].mean(dim=0))


class Vectors(nn.Module):
    """The chosen vectors side by side, with named inputs as an exported program has them."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.pooler = backbone.pooler()


class OfPictures(Vectors):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(self.pooler(x), dim=1)


class OfTexts(Vectors):
    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return torch.cat(self.pooler(input_ids, attention_mask), dim=1)


class OfRecordings(Vectors):
    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        return torch.cat(self.pooler(waveform, lengths), dim=1)


def export_and_compare(
    vectors: nn.Module, example: tuple[Tensor, ...], more: tuple[Tensor, ...], n_dims: int
) -> None:
    """Export with the first dimensions unknown, and run on other sizes."""
    vectors.eval()
    dims = tuple(dict.fromkeys(range(min(n_dims, x.ndim)), torch.export.Dim.DYNAMIC) for x in example)
    program = torch.export.export(vectors, example, dynamic_shapes=dims, strict=False)
    torch.testing.assert_close(program.module()(*more), vectors(*more), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
def test_pictures_export_with_any_batch(name: str) -> None:
    network, x = make_timm(name)
    export_and_compare(OfPictures(Backbone(network)), (x,), (torch.randn(5, *x.shape[1:]),), 1)


class Texts(nn.Module):
    """A text network as a source has it: ids and mask in order, one vector a text."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.model = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        h = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        own = attention_mask[..., None].to(h.dtype)
        return (h * own).sum(dim=1) / own.sum(dim=1)


@pytest.mark.parametrize("name", ["bert", "distilbert", "mpnet", "modernbert", "albert"])
def test_texts_export_with_any_batch_and_length(name: str) -> None:
    backbone = Backbone(Texts(make_transformers(name)).eval())
    example, more = texts(4, 9), texts(6, 13, seed=1)
    export_and_compare(OfTexts(backbone), tuple(example.values()), tuple(more.values()), 2)


def test_recordings_export_with_any_batch_and_length() -> None:
    example = (torch.randn(3, 160), torch.tensor([160, 81, 64]))
    more = (torch.randn(5, 320), torch.tensor([320, 17, 300, 100, 5]))
    export_and_compare(OfRecordings(Backbone(Recordings().eval())), example, more, 2)


@pytest.mark.parametrize("name", list(TRANSFORMERS))
def test_every_stage_has_a_vector_an_item(name: str) -> None:
    backbone = Backbone(make_transformers(name))
    vectors = backbone.pooled(TRANSFORMERS[name][1](n_items=3))
    assert [tuple(vector.shape) for vector in vectors] == [(3, 32)] * backbone.n_stages
