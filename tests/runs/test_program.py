"""Programs: any batch and length, the same numbers, one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from headstart.errors import ArchitectureError, InputError
from headstart.runs.program import export_program, run_program
from headstart.runs.program_inputs import audio_inputs, image_inputs, text_inputs


class Hooked(nn.Module):
    """A network whose inner stages are pooled by forward hooks, as a predictor's are."""

    def __init__(self, network: nn.Module, stages: list[str], width: int) -> None:
        super().__init__()
        self.network = network
        self.stages = stages
        self.head = nn.Linear(width, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        pooled: list[Tensor] = []

        def keep(module: nn.Module, inputs: object, output: Tensor) -> None:
            pooled.append(output.mean(dim=(2, 3)))

        handles = [self.network.get_submodule(stage).register_forward_hook(keep) for stage in self.stages]
        try:
            last = self.network(pixels)
        finally:
            for handle in handles:
                handle.remove()
        return self.head(torch.cat([*pooled, last], dim=1)).softmax(dim=-1)


class ByLength(nn.Module):
    """Takes a number from the length: its trace holds for one length only."""

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        n_windows = int(waveform.shape[1] // 100)
        windows = torch.stack([waveform[:, index * 100 : index * 100 + 100] for index in range(n_windows)])
        return windows.mean(dim=(0, 2)).unsqueeze(1).expand(-1, 3).softmax(dim=-1) + 0 * lengths.unsqueeze(1)


class Refuses(nn.Module):
    """Looks at values: it cannot be traced."""

    def forward(self, pixels: Tensor) -> Tensor:
        return (
            pixels.mean(dim=(2, 3)).softmax(-1) if pixels.sum() > 0 else pixels.amax(dim=(2, 3)).softmax(-1)
        )


def test_hooked_timm_network_with_any_batch(tmp_path: Path) -> None:
    import timm

    torch.manual_seed(0)
    network = timm.create_model("resnet10t", num_classes=0).eval()
    module = Hooked(network, ["layer1", "layer3"], 64 + 256 + 512).train()
    exported = export_program(module, image_inputs(48, 64), tmp_path / "model.pt2")
    assert exported.open_axes == ("batch",)
    assert exported.difference <= 1e-4
    assert module.training, "the module is left as it was"
    program = run_program(tmp_path / "model.pt2")
    pixels = torch.randn(7, 3, 48, 64)
    with torch.no_grad():
        torch.testing.assert_close(program(pixels), module.eval()(pixels), atol=1e-5, rtol=0)
    assert list(tmp_path.iterdir()) == [tmp_path / "model.pt2"]


def test_a_length_that_shapes_the_program_is_fixed_and_said(tmp_path: Path) -> None:
    exported = export_program(ByLength(), audio_inputs(400), tmp_path / "model.pt2")
    assert exported.open_axes == ("batch",)


def test_a_network_that_cannot_be_traced_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchitectureError, match=r"Refuses cannot be written to model\.pt2"):
        export_program(Refuses(), image_inputs(8, 8), tmp_path / "model.pt2")
    assert not list(tmp_path.iterdir())


class Wrong(nn.Module):
    """Takes the batch that it was traced with for any batch."""

    def forward(self, pixels: Tensor) -> Tensor:
        share = 0.1 if torch.compiler.is_compiling() else 0.9
        return (share * pixels.mean(dim=(2, 3))).cumsum(dim=1)


def test_a_program_that_gives_other_numbers_is_never_kept(tmp_path: Path) -> None:
    with pytest.raises(ArchitectureError, match="differs from the module by"):
        export_program(Wrong(), image_inputs(8, 8), tmp_path / "model.pt2")
    assert not list(tmp_path.iterdir())


def test_damaged_and_absent_programs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no program"):
        run_program(tmp_path / "model.pt2")
    (tmp_path / "model.pt2").write_bytes(b"PK\x03\x04 cut in half")
    with pytest.raises(InputError, match="damaged"):
        run_program(tmp_path / "model.pt2")


def test_text_inputs_respect_short_limits() -> None:
    inputs = text_inputs(max_length=8, pad_id=0, vocabulary=30)
    assert all(tensor.shape[1] <= 8 for check in inputs.checks for tensor in check)
