"""What a run holds works without headstart: programs, folders of transformers and timm, sources again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from headstart.data.images import decode_image
from headstart.data.preprocessing import preprocessing_from_json
from headstart.data.texts import encode_texts, pad_ids
from headstart.heads.head import FoldedHead
from headstart.runs.library_form import NoForm, library_form
from headstart.runs.prediction import predict
from headstart.runs.program import run_program
from headstart.sources import load_source
from headstart.tasks import CLASSIFICATION, Targets, Task

from .conftest import CLASSES, Made, make

BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "headstart":
            raise ImportError("headstart is blocked")
sys.meta_path.insert(0, Block())
"""


def without_headstart(code: str, folder: Path) -> Any:
    """Run code that ends by printing JSON in a fresh process where headstart cannot be imported."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def probabilities(made: Made, *inputs: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        rows: np.ndarray = made.predictor(*inputs).numpy()
    return rows


TEXTS = ["hello world", "the CAT sat on a mat !", "", "words " * 30, "a [MASK] b"]


def text_rows(made: Made) -> np.ndarray:
    preprocessing: Any = preprocessing_from_json(made.preprocessing)
    rows = [pad_ids([ids], preprocessing) for ids in encode_texts(TEXTS, preprocessing)]
    return np.concatenate([probabilities(made, *map(torch.from_numpy, row)) for row in rows])


def test_pipelines_agree_without_headstart(
    work: Path, image_run: Made, bert_run: Made, speech_run: Made
) -> None:
    assert [made.saved.task for made in (image_run, bert_run, speech_run)] == [
        "image-classification",
        "text-classification",
        "audio-classification",
    ]
    pixels = np.random.default_rng(0).integers(0, 255, (70, 91, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(work / "picture.png")
    clip = np.random.default_rng(0).normal(size=9_000).astype(np.float32) * 0.1
    np.save(work / "clip.npy", clip)
    printed = without_headstart(
        f"""
import json, numpy as np
from transformers import pipeline
images = pipeline("image-classification", model="image")("picture.png", top_k=3)
texts = pipeline("text-classification", model="text")({TEXTS!r}, top_k=None, truncation=True)
texts2 = pipeline("text-classification", model="text", batch_size=3)({TEXTS!r}, top_k=None, truncation=True)
audio = pipeline("audio-classification", model="speech")(np.load("clip.npy"), top_k=3)
print(json.dumps([images, *texts, *texts2, audio]))
""",
        work,
    )
    got = np.array(
        [[{row["label"]: row["score"] for row in rows}[name] for name in CLASSES] for rows in printed]
    )
    image = decode_image(work / "picture.png", preprocessing_from_json(image_run.preprocessing))  # type: ignore[arg-type]
    mean, std = (torch.tensor(image_run.preprocessing[key])[:, None, None] for key in ("mean", "std"))
    window = torch.zeros(1, 16_000)
    window[0, : len(clip)] = torch.from_numpy(clip)
    expected = [
        probabilities(image_run, ((image / 255.0 - mean) / std)[None]),
        text_rows(bert_run),
        text_rows(bert_run),
        probabilities(speech_run, window, torch.tensor([len(clip)])),
    ]
    np.testing.assert_allclose(got, np.concatenate(expected), atol=1e-3)
    assert np.ptp(got, axis=0).min() > 0.02, "the classes differ between the inputs"


def test_configuration_is_written_afresh(bert_run: Made) -> None:
    config = json.loads((bert_run.run.path / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert list(config["id2label"].values()) == list(CLASSES)
    assert [config["label2id"][name] for name in CLASSES] == [0, 1, 2]
    assert "source" not in json.dumps(config)


def test_speech_with_a_last_norm_has_a_form(speech_maker: Callable[..., Made]) -> None:
    assert speech_maker("speech-layer", "layer").saved.task == "audio-classification"


def test_results_that_no_class_holds_say_why(two_stages: Made, mean_text_run: Made) -> None:
    for made in (two_stages, mean_text_run):
        assert made.saved.task is None
        assert "other stages" in made.saved.why_no_pipeline
        config = json.loads((made.run.path / "config.json").read_text())
        assert config["headstart"]["classes"] == list(CLASSES)
        assert "model_type" not in config


def test_reasons_for_no_form(image_run: Made, mean_text_run: Made, speech_run: Made) -> None:
    def reason(made: Made, head: FoldedHead, **changes: Any) -> str:
        source = {**json.loads((made.run.path / "source.json").read_text()), **changes}
        tensors = made.predictor.pooler.network.state_dict()  # type: ignore[union-attr]
        with pytest.raises(NoForm) as caught:
            library_form(source, tensors, head, CLASSES)
        return str(caught.value)

    bias = torch.zeros(3)
    assert "deviation" in reason(speech_run, FoldedHead(torch.ones(3, 64), bias))
    assert "pooled otherwise" in reason(mean_text_run, FoldedHead(torch.ones(3, 32), bias))
    assert "own" in reason(image_run, FoldedHead(torch.ones(3, 512), bias), library="custom")
    assert "differ in" in reason(image_run, FoldedHead(torch.ones(3, 500), bias))
    assert "differ in" in reason(image_run, FoldedHead(torch.ones(3, 512), bias), architecture="resnet18")


def test_every_kind_is_a_source_again(
    image_run: Made, mean_text_run: Made, speech_run: Made, two_stages: Made
) -> None:
    for made in (image_run, mean_text_run, speech_run, two_stages):
        source = load_source(f"run:{made.run.path}")
        network = made.predictor.pooler.network  # type: ignore[union-attr]
        expected = network.state_dict()
        assert all(
            torch.equal(tensor, expected[name]) for name, tensor in source.network.state_dict().items()
        )


def test_the_head_is_kept_as_it_was_fitted(mean_text_run: Made) -> None:
    described = json.loads((mean_text_run.run.path / "head.json").read_text())
    assert described == {
        "task": "classification",
        "classes": list(CLASSES),
        "stages": ["layer.0", "layer.1"],
        "stage_indices": [1, 2],
    }
    kept = load_file(mean_text_run.run.path / "head.safetensors")
    assert float(kept["temperature"]) == pytest.approx(0.7)
    for name in ("mean", "scale", "weight", "bias"):
        np.testing.assert_array_equal(kept[name].numpy(), getattr(mean_text_run.head, name))


class TwoLayers(nn.Module):
    """Probabilities of a network with one hidden layer, at a temperature."""

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(width, 7), nn.Tanh(), nn.Linear(7, n_classes))

    def forward(self, x_ND: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.layers(x_ND) / 0.5, dim=1)


@dataclass(frozen=True, eq=False)
class TwoLayerHead:
    """A head that is not linear."""

    layers: TwoLayers
    stages: tuple[int, ...]
    n_features: int
    kind: str = "two layers"
    classes: tuple[str, ...] = CLASSES
    task: Task = CLASSIFICATION
    temperature: float = 0.5

    def logits(self, features: Any, /) -> Any:
        with torch.no_grad():
            return self.layers.layers(torch.as_tensor(features)).numpy()

    def outputs(self, features: Any, /) -> Any:
        with torch.no_grad():
            return self.layers(torch.as_tensor(features)).numpy()

    def predict(self, features: Any, /) -> Any:
        return Targets(self.task, self.classes).decode(self.outputs(features))

    def module(self) -> nn.Module:
        return self.layers

    def tensors(self) -> dict[str, torch.Tensor]:
        return dict(self.layers.state_dict())

    def folded(self) -> None:
        return None


def test_a_head_that_is_not_linear_is_written_and_read(work: Path, timm_source: Path) -> None:
    source = load_source(str(timm_source))
    made = make(
        work / "two-layers",
        source.network,
        dict(source.config),
        source.preprocessing.to_json(),
        head_of=lambda width, stages, used: TwoLayerHead(TwoLayers(width, 3), stages, width),
    )
    assert made.saved.task is None and "its head is two layers, not linear" in made.saved.why_no_pipeline
    described = json.loads((made.run.path / "head.json").read_text())
    assert described["kind"] == "two layers" and described["classes"] == list(CLASSES)
    kept = load_file(made.run.path / "head.safetensors")
    assert torch.equal(kept["layers.2.weight"], made.head.module().state_dict()["layers.2.weight"])

    pixels = np.random.default_rng(0).integers(0, 255, (2, 48, 48, 3), dtype=np.uint8)
    read = predict(made.run.path, pixels)
    image, mean, std = (made.preprocessing, *(made.preprocessing[key] for key in ("mean", "std")))
    batch = torch.stack([decode_image(each, preprocessing_from_json(image)) for each in pixels])  # type: ignore[arg-type]
    scaled = (batch / 255.0 - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    np.testing.assert_allclose(read.probabilities, probabilities(made, scaled), atol=1e-5)
    again = load_source(f"run:{made.run.path}").network.state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in source.network.state_dict().items())


def test_programs_give_what_the_module_gives(mean_text_run: Made) -> None:
    program = run_program(mean_text_run.run.path / "model.pt2")
    ids = torch.randint(5, 20, (2, 11), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    with torch.no_grad():
        got = program(ids, mask).numpy()
    np.testing.assert_allclose(got, probabilities(mean_text_run, ids, mask), atol=1e-5)


@pytest.mark.skipif(
    tuple(map(int, version("timm").split(".")[:3])) < (1, 0, 29),
    reason="older timm fails at a folder with several .safetensors files",
)
def test_timm_opens_the_folder_itself(image_run: Made) -> None:
    import timm

    model = timm.create_model(f"local-dir:{image_run.run.path}", pretrained=True).eval()
    pixels = torch.randn(2, 3, 48, 48)
    with torch.no_grad():
        got = model(pixels).softmax(1).numpy()
    np.testing.assert_allclose(got, probabilities(image_run, pixels), atol=1e-4)
