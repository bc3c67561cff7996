"""Folding and bf16 stay within their stated tolerance, and fold nothing that does not follow."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from backbone_networks import TIMM, make_timm, make_transformers, shake_norms, texts
from torch import Tensor, nn

from headstart.backbone import Backbone, bf16_is_faster, fold_batch_norm, prepare_for_inference
from headstart.backbone.folding import TOLERANCE, FusedConv2d
from headstart.backbone.precision import BF16_TOLERANCE, round_to_bf16

FOLDED = [
    "resnet18",
    "resnet26d",
    "regnety_002",
    "efficientnet_b0",
    "tf_efficientnet_lite0",
    "mobilenetv2_050",
    "mobilenetv3_small_050",
    "mobilenetv4_conv_small_050",
    "hgnetv2_b0",
    "ghostnet_050",
    "repvgg_a0",
]
NOT_ALL = ["densenet121", "fastvit_t8", "efficientformerv2_s0"]


def n_norms(network: nn.Module) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in network.modules())


def relative(got: Tensor, expected: Tensor) -> float:
    """Root mean square difference, relative to the expected."""
    return float((got.float() - expected).square().mean().sqrt() / expected.square().mean().sqrt())


@pytest.mark.parametrize("name", FOLDED + NOT_ALL)
@torch.no_grad()
def test_folding_keeps_the_output(name: str) -> None:
    network, x = make_timm(name)
    folded = fold_batch_norm(network, x)
    expected = network(x)
    assert float((folded(x) - expected).abs().max()) <= TOLERANCE * float(expected.abs().max())
    assert n_norms(network) > n_norms(folded)
    if name in FOLDED and name != "repvgg_a0":
        assert n_norms(folded) == 0
    assert not folded.training


@pytest.mark.parametrize(
    "name", [*FOLDED, "convnext_atto", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"]
)
@torch.no_grad()
def test_prepared_networks_stay_within_tolerance(name: str) -> None:
    network, x = make_timm(name)
    expected = network(x)
    ready = prepare_for_inference(network, "fp32", "cpu", x)
    assert float((ready(x) - expected).abs().max()) <= TOLERANCE * float(expected.abs().max())
    half = prepare_for_inference(network, "bf16", "cpu", x)
    assert relative(half(x), expected) <= BF16_TOLERANCE
    for got, whole in zip(Backbone(half).pooled(x), Backbone(network).pooled(x)):
        assert got.dtype == torch.float32
        assert relative(got, whole) <= BF16_TOLERANCE
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


@torch.no_grad()
def test_texts_in_bf16_stay_within_tolerance() -> None:
    inputs = texts(4, 9)
    for name in ("bert", "mpnet", "modernbert", "deberta-v2", "albert"):
        network = make_transformers(name)
        half = prepare_for_inference(network, "bf16", "cpu")
        own = inputs["attention_mask"].bool()
        got = half(**inputs).last_hidden_state[own]
        assert relative(got, network(**inputs).last_hidden_state[own]) <= BF16_TOLERANCE, name


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_prepared_network_is_cut_exactly(precision: str) -> None:
    network, x = make_timm("tf_efficientnet_lite0")
    backbone = Backbone(prepare_for_inference(network, precision, "cpu"))  # type: ignore[arg-type]
    with torch.no_grad():
        whole = backbone(x)
        for cut in (1, 4, 7):
            torch.testing.assert_close(backbone.suffix(backbone.prefix(x, cut), cut), whole, rtol=0, atol=0)
    assert backbone.stages == Backbone(network).stages


@torch.no_grad()
def test_states_of_a_prepared_network_go_on_in_the_network_itself() -> None:
    """Prefix in bf16 and folded, suffix in float32: the layout is the network's own."""
    network, x = make_timm("mobilenetv2_050", n_items=5)
    fast, own = Backbone(prepare_for_inference(network, "bf16", "cpu")), Backbone(network)
    stored = fast.prefix(x, 4)
    state = own.prefix(x[:2], 4).with_tensors(stored.tensors, 5)
    assert all(tensor.dtype == torch.float32 for tensor in state.tensors.values())
    assert relative(own.suffix(state, 4), network(x)) <= BF16_TOLERANCE


class Branches(nn.Module):
    """Batch norms that must not be folded: of a convolution that they do not follow, or that others read."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Conv2d(3, 8, 3, padding=1)
        self.shared_norm = nn.BatchNorm2d(8)
        self.before = nn.BatchNorm2d(8)
        self.plain = nn.Conv2d(8, 8, 1)
        self.twice = nn.BatchNorm2d(8)
        self.first, self.second = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.good = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.good_norm = nn.BatchNorm2d(8)
        self.act = nn.ReLU(inplace=True)
        self.layers = nn.ModuleList()

    def forward(self, x: Tensor) -> Tensor:
        shared = self.shared(x)
        h = self.plain(self.before(shared)) + self.shared_norm(shared)
        h = self.twice(self.first(h)) + self.twice(self.second(h))
        h = h + self.act(self.good_norm(self.good(h)))
        return self.act(h).mean(dim=(2, 3))


@torch.no_grad()
def test_only_norms_that_follow_their_convolution_are_folded() -> None:
    torch.manual_seed(0)
    network = Branches().eval()
    shake_norms(network)
    x = torch.randn(3, 3, 8, 8)
    expected = network(x)
    folded = fold_batch_norm(network, x)
    kept = {path for path, part in folded.named_modules() if isinstance(part, nn.BatchNorm2d)}
    assert kept == {"shared_norm", "before", "twice"}
    for ready in (folded, prepare_for_inference(network, "fp32", "cpu", x)):
        torch.testing.assert_close(ready(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [31, 32, 33, 47])
@pytest.mark.parametrize(
    ("kernel", "stride", "depthwise"), [(3, 2, True), (5, 2, True), (3, 2, False), (3, 1, True)]
)
@torch.no_grad()
def test_same_padding_is_tensorflows(size: int, kernel: int, stride: int, depthwise: bool) -> None:
    from timm.layers import create_conv2d

    torch.manual_seed(0)
    convolution = create_conv2d(8, 8, kernel, stride=stride, padding="same", depthwise=depthwise)
    fused = FusedConv2d(convolution, nn.ReLU6())
    x = torch.randn(2, 8, size, size + 1)
    torch.testing.assert_close(fused(x), convolution(x).clamp(0, 6), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "activation",
    [nn.ReLU(), nn.ReLU6(), nn.Hardswish(), nn.SiLU(), nn.Sigmoid(), nn.Tanh(), nn.GELU(), nn.LeakyReLU(0.2)],
)
@torch.no_grad()
def test_fused_activations_are_theirs(activation: nn.Module) -> None:
    convolution = nn.Conv2d(4, 8, 3, padding=1)
    x = 3 * torch.randn(2, 4, 9, 9)
    expected = activation(convolution(x))
    torch.testing.assert_close(FusedConv2d(convolution, activation)(x), expected, rtol=1e-4, atol=1e-4)


def test_rounding_keeps_the_sums_of_small_kernels() -> None:
    weight = torch.randn(64, 1, 3, 3)
    rounded = round_to_bf16(weight)
    nearest = weight.to(torch.bfloat16)
    lost = (rounded.float() - weight).sum(dim=(1, 2, 3)).abs()
    assert float(lost.mean()) < float((nearest.float() - weight).sum(dim=(1, 2, 3)).abs().mean()) / 5
    torch.testing.assert_close(rounded.float(), weight, rtol=2**-6, atol=2**-8)
    matrix = torch.randn(8, 16)
    assert torch.equal(round_to_bf16(matrix), matrix.to(torch.bfloat16))


class Spectrum(nn.Module):
    """A front end with filters and no weights."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(64))

    def forward(self, waveform: Tensor) -> Tensor:
        spectrum = torch.stft(waveform, 64, 32, window=self.window, return_complex=True).abs()
        return torch.log(spectrum.square() + 1e-6).transpose(1, 2)


class Speech(nn.Module):
    """Front end, layers and the mean of a clip."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.front = Spectrum()
        self.layers = nn.ModuleList([nn.Sequential(nn.Linear(33, 33), nn.GELU()) for _ in range(3)])

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        h = self.front(waveform)
        for layer in self.layers:
            h = layer(h)
        return h.mean(dim=1)


@torch.no_grad()
def test_front_ends_run_in_float32() -> None:
    network = Speech().eval()
    inputs = {"waveform": torch.randn(3, 640), "lengths": torch.tensor([640, 320, 500])}
    half = prepare_for_inference(network, "bf16", "cpu")
    seen: list[Tensor] = []
    half.front.register_forward_hook(lambda m, a, output: seen.append(output))
    output = half(**inputs)
    torch.testing.assert_close(seen[0], network.front(inputs["waveform"]))
    assert half.front.window.dtype == torch.float32 and half.layers[0][0].weight.dtype == torch.bfloat16
    assert relative(output, network(**inputs)) <= BF16_TOLERANCE
    twin = Backbone(copy.deepcopy(half))
    assert [vector.shape for vector in twin.pooled(inputs)][-1] == (3, 99)


def test_inputs_that_cannot_be_made_up_leave_a_network_as_it_is() -> None:
    class Pairs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)

        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            return self.norm(self.conv(left - right))

    assert n_norms(fold_batch_norm(Pairs())) == 1
    assert bf16_is_faster("cpu") in (True, False)


def test_every_folded_family_is_listed() -> None:
    assert set(FOLDED + NOT_ALL) <= set(TIMM)


@pytest.mark.real
@pytest.mark.parametrize("folder", ["mobilenetv2_100.tf2_ptq_in1k", "tf_efficientnet_lite0.in1k"])
@torch.no_grad()
def test_trained_networks_on_photos_stay_within_tolerance(shared: Path, folder: str) -> None:
    import timm
    from PIL import Image
    from safetensors.torch import load_file

    network = timm.create_model(folder.split(".")[0], pretrained=False).eval()
    network.load_state_dict(load_file(shared / "weights" / folder / "model.safetensors"))
    network.reset_classifier(0)
    files = sorted((shared / "data" / "hymenoptera").rglob("*.jpg"))[:4]
    pictures = [np.asarray(Image.open(file).convert("RGB").resize((224, 224))) for file in files]
    x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    expected = network(x)
    half = prepare_for_inference(network, "bf16", "cpu")
    assert n_norms(half) == 0
    assert relative(half(x), expected) <= BF16_TOLERANCE
    ready = prepare_for_inference(network, "fp32", "cpu")
    assert float((ready(x) - expected).abs().max()) <= TOLERANCE * float(expected.abs().max())
