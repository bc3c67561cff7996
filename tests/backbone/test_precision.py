"""bf16 on a processor where oneDNN computes no convolutions in it (one without AVX-512)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from headstart.backbone import Backbone, prepare_for_inference
from headstart.backbone.folding import FusedConv2d
from headstart.backbone.pooling import mean_of_map
from headstart.backbone.precision import BF16_TOLERANCE


@pytest.fixture
def no_avx512(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)


class Sequence(nn.Module):
    """Layers, one after the other, and the mean over positions."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        output = self.layers(x)
        output = output[0] if isinstance(output, tuple) else output
        return output.flatten(2).mean(2) if output.ndim > 3 else output.mean(1)


def images() -> Tensor:
    return torch.randn(2, 3, 16, 16)


def sounds() -> Tensor:
    return torch.randn(2, 4, 200)


def maps(*layers: nn.Module) -> Sequence:
    return Sequence(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), *layers)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[], Tensor]]] = {
    "convolution": (lambda: maps(nn.Conv2d(8, 8, 3, stride=2), nn.SiLU()), images),
    "depthwise": (lambda: maps(nn.Conv2d(8, 8, 5, groups=8, padding=2), nn.Hardswish()), images),
    "dilated": (lambda: maps(nn.Conv2d(8, 6, 3, dilation=2, bias=False), nn.GELU()), images),
    "transposed": (lambda: maps(nn.ConvTranspose2d(8, 4, 2, stride=2)), images),
    "pooling": (lambda: maps(nn.MaxPool2d(2), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(2)), images),
    "norms": (lambda: maps(nn.GroupNorm(2, 8), nn.InstanceNorm2d(8, affine=True), nn.ReLU()), images),
    "resized": (lambda: maps(nn.Upsample(scale_factor=2.0, mode="bilinear")), images),
    "along time": (lambda: Sequence(nn.Conv1d(4, 8, 9, stride=2), nn.GELU(), nn.Conv1d(8, 8, 3)), sounds),
    "recurrent": (lambda: Sequence(nn.Conv1d(4, 8, 3), nn.GRU(198, 12, batch_first=True)), sounds),
    "attention": (
        lambda: Sequence(nn.Linear(200, 16), nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)),
        sounds,
    ),
}


@pytest.mark.usefixtures("no_avx512")
@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_every_layer_runs_in_bf16_without_onednn(name: str) -> None:
    torch.manual_seed(0)
    make, inputs = NETWORKS[name]
    network, x = make().eval(), inputs()
    half = prepare_for_inference(network, "bf16", "cpu", x)
    assert not any(isinstance(part, FusedConv2d) for part in half.modules())
    expected = network(x)
    difference = (half(x).float() - expected).square().mean().sqrt()
    assert float(difference) <= BF16_TOLERANCE * float(expected.square().mean().sqrt())


@pytest.mark.usefixtures("no_avx512")
@torch.no_grad()
def test_a_cut_network_gives_vectors_and_states_in_bf16() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(maps(nn.Conv2d(8, 8, 3)).layers, nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU()))
    half = Backbone(prepare_for_inference(network.eval(), "bf16", "cpu", images()), ["0", "1"])
    vectors, state = half.pooled_and_state(images(), 1)
    assert [vector.dtype for vector in vectors] == [torch.float32] * 2
    assert all(bool(vector.isfinite().all()) for vector in vectors)
    assert half.suffix(state, 1).shape == (2, 8, 12, 12)


@pytest.mark.usefixtures("no_avx512")
def test_float32_is_still_fused() -> None:
    network = maps(nn.Conv2d(8, 8, 3)).eval()
    fused = prepare_for_inference(network, "fp32", "cpu", images())
    assert any(isinstance(part, FusedConv2d) for part in fused.modules()) == torch._C._has_mkldnn


def test_training_in_bf16_gives_gradients() -> None:
    torch.manual_seed(0)
    for make, inputs in NETWORKS.values():
        network = make().train()
        with torch.autocast("cpu", torch.bfloat16):
            output = network(inputs())
        output.float().square().mean().backward()
        assert all(bool(p.grad.isfinite().all()) for p in network.parameters() if p.grad is not None)


def test_a_bf16_map_is_averaged_at_any_size() -> None:
    for size in (1, 2, 7, 16):
        value = torch.randn(3, size, size, 5)
        found = mean_of_map(value.to(torch.bfloat16))
        assert found.dtype == torch.float32
        assert torch.allclose(found, value.mean((1, 2)), atol=0.02)
