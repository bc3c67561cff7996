"""A network of a structure that was traced before is not traced again; what does not agree with it is never written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import headstart.runs.program as program
from headstart.errors import ArchitectureError
from headstart.features import Store
from headstart.runs.kept_program import KeptPrograms
from headstart.runs.program import export_program, run_program
from headstart.runs.program_inputs import audio_inputs, image_inputs


class Net(nn.Module):
    """Small, with a plain setting, a buffer that is not saved, and tied weights."""

    def __init__(self, seed: int, power: float = 1.0, hidden: float | None = None, tied: bool = True) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.power, self._hidden = power, hidden
        self.first, self.second, self.third = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)
        if tied:
            self.third.weight = self.second.weight
        self.register_buffer("shift", torch.randn(3), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.first(pixels.mean(dim=(2, 3))) + self.shift
        x = self.third(self.second(x * self.power).relu())
        return (x if self._hidden is None else x * self._hidden).softmax(dim=-1)


class ByLength(nn.Module):
    """Its trace holds for one length only."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(100, 3)

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        windows = torch.stack(
            [waveform[:, k * 100 : k * 100 + 100] for k in range(int(waveform.shape[1] // 100))]
        )
        return self.linear(windows.mean(dim=0)).softmax(dim=-1) + 0 * lengths.unsqueeze(1)


@pytest.fixture
def kept(tmp_path: Path) -> KeptPrograms:
    return KeptPrograms(Store(tmp_path / "store"), "net")


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The class of every module that was traced."""
    found: list[str] = []
    trace = program.trace

    def counted(module: nn.Module, *given: object, **named: object) -> object:
        found.append(type(module.module).__name__)
        return trace(module, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(program, "trace", counted)
    return found


def written(module: nn.Module, kept: KeptPrograms, path: Path) -> None:
    """Export, and compare with the module at a size that no check has."""
    export_program(module, image_inputs(8, 8), path, kept=kept)
    pixels = torch.randn(11, 3, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(run_program(path)(pixels), module(pixels), atol=1e-6, rtol=0)


def test_other_weights_of_one_structure_are_filled_in(
    kept: KeptPrograms, traces: list[str], tmp_path: Path
) -> None:
    for seed in range(3):
        written(Net(seed).eval(), kept, tmp_path / "model.pt2")
    assert traces == ["Net"]
    listed = [entry for entry in Store(tmp_path / "store").list() if entry.label == "net"]
    assert [entry.what for entry in listed] == ["program, fp32"] and listed[0].n_bytes < 20_000
    Store(tmp_path / "store").prune(limit_bytes=0)
    written(Net(3).eval(), kept, tmp_path / "model.pt2")
    assert len(traces) == 2


@pytest.mark.parametrize("other", [{"power": 2.0}, {"hidden": 3.0}, {"tied": False}])
def test_another_structure_is_traced(
    kept: KeptPrograms, traces: list[str], tmp_path: Path, other: dict[str, float]
) -> None:
    """A setting that the key does not know, such as a private one, is found by the comparison."""
    written(Net(0).eval(), kept, tmp_path / "model.pt2")
    written(Net(0, **other).eval(), kept, tmp_path / "model.pt2")  # type: ignore[arg-type]
    assert traces == ["Net", "Net"]


def test_a_damaged_one_is_traced_again_and_replaced(
    kept: KeptPrograms, traces: list[str], tmp_path: Path
) -> None:
    written(Net(0).eval(), kept, tmp_path / "model.pt2")
    file = next((tmp_path / "store").rglob("program.zip"))
    whole = file.read_bytes()
    place = whole.index(b"models/model.json") + 60
    changed = whole[:place] + bytes(8) + whole[place + 8 :]
    for damaged in (b"", b"no archive", whole[: len(whole) // 2], changed):
        file.write_bytes(damaged)
        traces.clear()
        written(Net(1).eval(), kept, tmp_path / "model.pt2")
        written(Net(2).eval(), kept, tmp_path / "model.pt2")
        assert traces == ["Net"]


def test_without_a_store_that_can_be_written(traces: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for _ in range(2):
        written(Net(0).eval(), KeptPrograms(Store(tmp_path / "file"), "net"), tmp_path / "model.pt2")
    assert traces == ["Net", "Net"]


def test_a_length_that_is_fixed_is_kept_too(kept: KeptPrograms, traces: list[str], tmp_path: Path) -> None:
    found = [
        export_program(ByLength().eval(), audio_inputs(400), tmp_path / "m.pt2", kept=kept) for _ in range(2)
    ]
    assert [each.open_axes for each in found] == [("batch",), ("batch",)]
    assert traces == ["ByLength", "ByLength"]  # the first attempt leaves the length open
    with pytest.raises(ArchitectureError):
        export_program(nn.Identity(), audio_inputs(400), tmp_path / "m.pt2", kept=kept)
