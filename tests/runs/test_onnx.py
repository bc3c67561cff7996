"""Runs as ONNX files: the same numbers at any size, lines that run them alone, and clear refusals."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import soundfile
import torch
from PIL import Image
from torch import Tensor, nn

import headstart
from headstart.errors import InputError, OptionError
from headstart.runs.prediction import predict
from headstart.runs.program import export_program
from headstart.runs.program_inputs import image_inputs
from headstart.runs.shared_onnx import shared_onnx

from .conftest import CLASSES, Made

BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("headstart", "torch"):
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Block())
"""
TEXTS = ["hello world", "the CAT sat on a mat !", "a", "words " * 30]
PIXELS = {
    "modality": "image",
    "size": [6, 8],
    "mean": [0.5, 0.4, 0.3],
    "std": [0.2, 0.3, 0.25],
    "interpolation": "bicubic",
    "crop_pct": 0.9,
    "crop_mode": "center",
}


class Scores(nn.Module):
    """One score per class from a few pixels."""

    def __init__(self, last: nn.Module, n_outputs: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(1), nn.Linear(96, n_outputs), last
        )

    def forward(self, pixels: Tensor) -> Tensor:
        scores: Tensor = self.layers(pixels)
        return scores


class Standardised(nn.Module):
    """A quantity of about 2,000 with a deviation of 3, as a run with a ridge head gives it."""

    def forward(self, scores: Tensor) -> Tensor:
        return 2_000.0 + 3.0 * scores.double()


class Lengths(nn.Module):
    """Has the one operation of classical features that the translator lacks."""

    def forward(self, scores: Tensor) -> Tensor:
        return torch.hypot(scores, scores + 1).sigmoid()


class Eigenvalues(nn.Module):
    """Has an operation that ONNX lacks."""

    def forward(self, scores: Tensor) -> Tensor:
        return torch.linalg.eigvalsh(scores[:, :, None] * scores[:, None]).softmax(dim=1)


def run_of(folder: Path, module: nn.Module, task: str = "classification", **head: Any) -> Path:
    """The files of a run on small pictures that an export reads."""
    folder.mkdir()
    export_program(module.eval(), image_inputs(6, 8), folder / "model.pt2")
    classes = head.pop("classes", CLASSES)
    for name, content in {
        "metrics.json": {"format_version": 1, "kind": "fit", "data": {"target": "size"}},
        "source.json": {"preprocessing": PIXELS},
        "head.json": {"task": task, "classes": classes, **head},
    }.items():
        (folder / name).write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("onnx") / "run", Scores(nn.Softmax(dim=1)))


@pytest.fixture(scope="module")
def exported(small_run: Path) -> Any:
    return headstart.export(small_run)


def alone(folder: Path, items: list[str], card: str = "model.onnx.md") -> np.ndarray:
    """What the lines of a card give where headstart and torch cannot be imported."""
    lines = re.findall(r"```python\n(.*?)```", (folder / card).read_text(), re.DOTALL)[0]
    code = f"{BLOCKED}\n{lines}\nprint(json.dumps([classes, predict({items!r}).tolist()]))"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    classes, rows = json.loads(done.stdout.splitlines()[-1])
    assert tuple(classes) == CLASSES
    return np.array(rows)


def test_a_picture_run_alone(image_run: Made, tmp_path: Path) -> None:
    made = headstart.export(image_run.run.path)
    assert made.inputs == {"pixels": ("batch", 3, 48, 48)} and made.output == "probabilities"
    assert 0 <= made.compared.difference <= 1e-4 and {shape[0][0] for shape in made.compared.shapes} == {
        1,
        3,
        5,
    }
    pixels = np.random.default_rng(0).integers(0, 255, (2, 70, 91, 3), dtype=np.uint8)
    names = [str(tmp_path / f"{index}.png") for index in range(2)]
    for name, picture in zip(names, pixels):
        Image.fromarray(picture).save(name)
    expected = predict(image_run.run.path, pixels).probabilities
    np.testing.assert_allclose(alone(image_run.run.path, names), expected, atol=1e-4)


def test_a_text_run_alone_in_another_folder(bert_run: Made, tmp_path: Path) -> None:
    made = headstart.export(bert_run.run.path, out=tmp_path / "texts.onnx")
    assert made.inputs == dict.fromkeys(("input_ids", "attention_mask"), ("batch", "length"))
    expected = predict(bert_run.run.path, TEXTS).probabilities
    np.testing.assert_allclose(alone(tmp_path, TEXTS, "texts.onnx.md"), expected, atol=1e-4)
    assert not list(bert_run.run.path.glob("*.onnx*"))

    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(OptionError, match=r"tokenizer\.json is the tokenizer of something else"):
        headstart.export(bert_run.run.path, out=tmp_path / "other.onnx")


@pytest.mark.full
def test_an_audio_run_alone(speech_run: Made, tmp_path: Path) -> None:
    made = headstart.export(speech_run.run.path)
    assert made.inputs == {"waveform": ("batch", "samples"), "lengths": ("batch",)}
    assert len({shape[0][1] for shape in made.compared.shapes}) == 2, "two lengths"
    clips = [0.1 * np.random.default_rng(0).normal(size=size).astype(np.float32) for size in (9_000, 20_000)]
    names = [str(tmp_path / f"{len(clip)}.wav") for clip in clips]
    for name, clip in zip(names, clips):
        soundfile.write(name, clip, 16_000, subtype="FLOAT")
    expected = predict(speech_run.run.path, [Path(name) for name in names]).probabilities
    np.testing.assert_allclose(alone(speech_run.run.path, names), expected, atol=1e-4)


def test_facts_lie_beside_the_file(exported: Any, small_run: Path) -> None:
    facts = json.loads((small_run / "model.onnx.json").read_text())
    assert facts == json.loads(json.dumps(facts | exported.to_json()))
    assert facts["compared"]["difference"] == exported.compared.difference <= facts["tolerance"] == 1e-4
    assert list(facts["sha256"]) == ["model.onnx", "model.onnx.md"]
    assert facts["program_sha256"] == hashlib.sha256((small_run / "model.pt2").read_bytes()).hexdigest()
    assert facts["n_bytes"] == exported.path.stat().st_size
    content = exported.path.read_bytes()
    assert os.fsencode(str(small_run)) not in content and b"torch/" not in content
    assert "`model.onnx` is the model of a run of headstart" in (small_run / "model.onnx.md").read_text()
    assert exported.data is None
    shared = shared_onnx(small_run)
    assert set(shared) == {"model.onnx", "model.onnx.md", "model.onnx.json"}
    assert shared["model.onnx.json"] == (small_run / "model.onnx.json").read_bytes()


def test_several_labels_and_a_quantity(tmp_path: Path) -> None:
    labels = headstart.export(run_of(tmp_path / "labels", Scores(Lengths()), "multilabel"))
    assert labels.output == "probabilities" and labels.compared.log_difference is not None

    unit = {"shift": 2_000.0, "factor": 3.0}
    module = Scores(Standardised(), 1).eval()
    quantity = headstart.export(run_of(tmp_path / "size", module, "regression", classes=["size"], unit=unit))
    assert quantity.output == "values" and quantity.compared.log_difference is None
    pixels = torch.randn(7, 3, 6, 8)
    got = onnxruntime.InferenceSession(quantity.path).run(None, {"pixels": pixels.numpy()})[0]
    with torch.no_grad():
        np.testing.assert_allclose(got, module(pixels).numpy(), atol=3e-4)
    assert (
        got.dtype == np.float64 and "the value of `size`" in (tmp_path / "size" / "model.onnx.md").read_text()
    )


def test_weights_that_are_too_large_lie_beside_the_file(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.runs.onnx_form.MOST_INSIDE", 100)
    made = headstart.export(small_run, out=tmp_path / "large.onnx")
    assert made.data == tmp_path / "large.onnx.data" and "copy both" in made.text
    pixels = np.random.default_rng(0).normal(size=(2, 3, 6, 8)).astype(np.float32)
    got = onnxruntime.InferenceSession(made.path).run(None, {"pixels": pixels})[0]
    np.testing.assert_allclose(got.sum(axis=1), 1, atol=1e-5)
    assert set(json.loads((tmp_path / "large.onnx.json").read_text())["sha256"]) == {
        "large.onnx",
        "large.onnx.data",
        "large.onnx.md",
    }
    assert "large.onnx.data" in (tmp_path / "large.onnx.md").read_text()

    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr("headstart.runs.onnx_check.TOLERANCE", -1.0)
    with pytest.raises(InputError, match="would differ"):
        headstart.export(small_run, out=tmp_path / "large.onnx", force=True)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after == before, "the earlier file and its weights are there, and nothing else"


def test_a_file_that_differs_is_not_kept(
    exported: Any, small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = exported.path.read_bytes()
    monkeypatch.setattr("headstart.runs.onnx_check.LOG_TOLERANCE", -1.0)
    with pytest.raises(InputError, match=r"outputs would differ from the run's by up to .* use model\.pt2"):
        headstart.export(small_run)
    assert exported.path.read_bytes() == before


def test_an_operation_without_a_counterpart_is_named(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Scores(Eigenvalues()))
    with pytest.raises(InputError, match=r"cannot be exported to ONNX \(.*eig.*\): use model\.pt2"):
        headstart.export(run)
    assert not list(run.glob("*.onnx*"))


def test_what_cannot_be_done_is_told_before_anything_is_read(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionError, match=r"format must be onnx, got 'onx'\. Did you mean 'onnx'"):
        headstart.export(small_run, format="onx")
    with pytest.raises(OptionError, match="format must be onnx, got None"):
        headstart.export(small_run, format=None)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="--out must not be empty"):
        headstart.export(small_run, out="")
    with pytest.raises(OptionError, match=r"must end in \.onnx"):
        headstart.export(small_run, out=tmp_path / "model.pt")
    (tmp_path / "there.onnx").touch()
    with pytest.raises(OptionError, match="exists already"):
        headstart.export(small_run, out=tmp_path / "there.onnx")
    for ending in (".json", ".md", ".data"):
        (tmp_path / f"mine{ending}.onnx{ending}").write_text("mine")
        with pytest.raises(OptionError, match=rf"mine{ending}\.onnx{ending} exists already"):
            headstart.export(small_run, out=tmp_path / f"mine{ending}.onnx")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "metrics.json").write_text('{"format_version": 1}')
    with pytest.raises(OptionError, match="other is another run: name another folder"):
        headstart.export(small_run, out=tmp_path / "other" / "model.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"pip install 'headstart\[onnx\]'"):
        headstart.export(small_run)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_is_found_first(
    small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.runs.onnx_form.write_onnx", lambda *_: pytest.fail("translated"))
    with pytest.raises(
        OptionError, match=r"--out /proc/x\.onnx cannot be written \(.*\): name a file in another"
    ):
        headstart.export(small_run, out="/proc/x.onnx")


def test_the_command_prints_the_difference(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from headstart.cli import main

    words = ["headstart", "export", str(small_run), "--out", str(tmp_path / "m.onnx")]
    monkeypatch.setattr(sys, "argv", words)
    main_code(main)
    assert "differs from the run by at most" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"m.onnx", "m.onnx.json", "m.onnx.md"}
    monkeypatch.setattr(sys, "argv", [*words, "--force", "--json"])
    main_code(main)
    facts = json.loads(capsys.readouterr().out)
    assert facts["inputs"] == {"pixels": ["batch", 3, 6, 8]} and facts["path"] == "m.onnx"


def main_code(main: Any) -> None:
    """Call the command; it must end well."""
    try:
        main()
    except SystemExit as end:
        assert not end.code
