"""A network of a structure that was traced before is not traced again; what does not agree with it is never written."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import headstart
import headstart.runs.export
import headstart.runs.program as program
import headstart.runs.structure as structure
from headstart.errors import ArchitectureError
from headstart.features import Store
from headstart.runs.kept_program import KeptPrograms
from headstart.runs.program import export_program, run_program
from headstart.runs.program_inputs import audio_inputs, image_inputs
from small_data import LETTERS

FACTOR = 1.0  # what the code of a library might read elsewhere


class Net(nn.Module):
    """Small, with a plain setting, a plain tensor, a buffer that is not saved, and tied weights."""

    def __init__(
        self, seed: int, power: float = 1.0, hidden: float = 1.0, last: float = 1.0, tied: bool = True
    ) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.power, self._hidden, self.plain = power, {"of": [hidden]}, torch.tensor([1.0, 1.0, last])
        self.first, self.second, self.third = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)
        if tied:
            self.third.weight = self.second.weight
        self.register_buffer("shift", torch.randn(3), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.first(pixels.mean(dim=(2, 3)) * self.plain) + self.shift
        x = self.third(self.second(x * self.power).relu())
        return (x * self._hidden["of"][0] * FACTOR).softmax(dim=-1)


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


@pytest.fixture(autouse=True)
def of_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks of this module count as those of a library, whose code cannot change unseen."""
    mine = Net.__module__.partition(".")[0]
    monkeypatch.setattr(structure, "_LIBRARIES", (*structure._LIBRARIES, mine))


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


@pytest.mark.parametrize("other", [{"power": 2.0}, {"hidden": 3.0}, {"last": 2.0}, {"tied": False}])
def test_another_structure_is_traced(
    kept: KeptPrograms, traces: list[str], tmp_path: Path, other: dict[str, float]
) -> None:
    written(Net(0).eval(), kept, tmp_path / "model.pt2")
    written(Net(0, **other).eval(), kept, tmp_path / "model.pt2")  # type: ignore[arg-type]
    assert traces == ["Net", "Net"]


def test_what_the_key_does_not_know_is_found_by_the_comparison(
    kept: KeptPrograms, traces: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(Net(0).eval(), kept, tmp_path / "model.pt2")
    monkeypatch.setitem(globals(), "FACTOR", 1.01)
    written(Net(0).eval(), kept, tmp_path / "model.pt2")
    assert traces == ["Net", "Net"]


def test_a_network_of_the_users_own_code_is_always_traced(
    kept: KeptPrograms, traces: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it imports can change without a trace of it in the network, and a few random inputs need not show it."""
    monkeypatch.setattr(structure, "_LIBRARIES", ("torch", "timm"))
    for _ in range(2):
        written(Net(0).eval(), kept, tmp_path / "model.pt2")
    assert traces == ["Net", "Net"] and not list((tmp_path / "store").glob("*"))


@pytest.mark.parametrize("library", ["timm", "transformers"])
def test_networks_of_the_libraries_have_a_structure(library: str, tmp_path: Path) -> None:
    if library == "timm":
        import timm

        made: list[nn.Module] = [timm.create_model(name, num_classes=0) for name in ("resnet10t", "test_vit")]
    else:
        from transformers import BertConfig, BertModel

        small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
        made = [BertModel(BertConfig(vocab_size=9, **small)), BertModel(BertConfig(vocab_size=9, **small))]
    found = [structure.structure_of(module, dict(module.named_parameters())) for module in made]
    assert (found[0] == found[1]) == (library == "transformers")


def test_a_file_that_no_program_has_is_never_copied(
    kept: KeptPrograms, traces: list[str], tmp_path: Path
) -> None:
    written(Net(0).eval(), kept, tmp_path / "model.pt2")
    file = next((tmp_path / "store").rglob("program.zip"))
    with zipfile.ZipFile(file) as held:
        members = {info.filename: held.read(info) for info in held.infolist()}
    for name, content in (
        ("data/sample_inputs/model.pt", pickle.dumps(tmp_path)),
        ("data/weights/weight_99", b"x"),
        ("models/model.json", b"{}"),
        ("data/weights/model_weights_config.json", b"[" * 100_000),
    ):
        with zipfile.ZipFile(file, "w") as changed:
            for each, old in {**members, name: content}.items():
                changed.writestr(each, old)
        traces.clear()
        written(Net(1).eval(), kept, tmp_path / "model.pt2")
        assert traces == ["Net"], name
        with zipfile.ZipFile(tmp_path / "model.pt2") as program_:
            assert not program_.read("archive/data/sample_inputs/model.pt")


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


def test_the_models_of_two_runs_are_traced_once(
    digit_folder: Path, tmp_path: Path, traces: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The predictor of a fit holds nothing whose part in a trace is not known, and what it remembers is alike."""
    monkeypatch.setattr(headstart.runs.export, "KeptPrograms", KeptPrograms)  # in the store of the runs
    for seed in range(2):
        given = {"store": str(tmp_path / "store"), "seed": seed, "baseline": False, "report": False}
        headstart.fit(
            digit_folder, LETTERS, out=tmp_path / f"run{seed}", precision="fp32", threads=1, **given
        )  # type: ignore[arg-type]
    assert traces == ["Predictor"]
