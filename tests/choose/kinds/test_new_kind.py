"""A kind of head that is not linear: registered, chosen, exported, and the program gives its outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gaussian_head import GAUSSIAN
from headstart.backbone import Backbone
from headstart.choose import ArrayFeatures, choose_head
from headstart.choose.kinds import KINDS
from headstart.heads.linear import linear_or_none
from headstart.heads.predictor import Predictor
from headstart.runs.directory import RunDirectory
from headstart.runs.export import save_model
from headstart.tasks import REGRESSION


@pytest.fixture
def gaussian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "gaussian", GAUSSIAN)


class Small(nn.Module):
    """Two stages on pictures; gives the mean of each of three channels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 3, 1)
        self.last = nn.Conv2d(3, 3, 1)
        with torch.no_grad():
            for layer in (self.stem, self.last):
                layer.weight.copy_(torch.eye(3)[:, :, None, None])
                layer.bias.zero_()

    def forward(self, pixels: Tensor) -> Tensor:
        embedding: Tensor = self.last(self.stem(pixels)).mean(dim=(2, 3))
        return embedding


PREPROCESSING = {"modality": "image", "size": [16, 16]}


def inside_and_outside(n_items: int = 200) -> tuple[Tensor, np.ndarray]:
    """Pictures of one colour each, near grey ("in") or far from it on any side ("out"): no plane parts them."""
    rng = np.random.default_rng(0)
    colour = rng.normal(size=(n_items, 3)).astype(np.float32)
    far = np.arange(n_items) % 2 == 1
    colour[~far] *= 0.2
    pixels = torch.from_numpy(colour)[:, :, None, None].expand(-1, -1, 16, 16).contiguous()
    return pixels, np.where(far, "out", "in").astype(object)


def test_a_head_that_is_not_linear_is_chosen_exported_and_predicts_the_same(
    gaussian: None, tmp_path: Path
) -> None:
    network = Small().eval()
    backbone = Backbone(network, ["stem", "last"])
    pixels, labels = inside_and_outside()
    with torch.no_grad():
        pooled = [vector.numpy() for vector in backbone.pooled(pixels)]
    choice = choose_head(ArrayFeatures(("stem", "last"), tuple(pooled)), labels)
    assert choice.chosen.kind == "gaussian" and choice.head.kind == "gaussian"
    assert choice.chosen.quality > 0.8 and linear_or_none(choice.head) is None
    run = RunDirectory.create(tmp_path / "run")
    saved = save_model(
        run,
        predictor=Predictor(backbone, choice.head).eval(),
        network=network,
        head=choice.head,
        source_config={"library": "timm", "modality": "image", "stages": ["stem", "last"]},
        preprocessing=PREPROCESSING,
    )
    assert saved.why_no_pipeline == "its head is gaussian, not linear"
    program = torch.export.load(run.file("model.pt2")).module()
    features = np.concatenate([pooled[index] for index in choice.head.stages], axis=1)
    outputs = program(pixels).detach().numpy()
    np.testing.assert_allclose(outputs, choice.head.outputs(features), atol=1e-5)
    named = np.array(choice.classes, dtype=object)[outputs.argmax(axis=1)]
    assert (named == choice.head.predict(features)).all() and (named == labels).mean() > 0.8


def test_it_is_not_tried_for_what_it_does_not_suit(gaussian: None) -> None:
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    values = x[:, 0].round(3).astype(str).astype(object)
    choice = choose_head(ArrayFeatures(("last",), (x,)), values, task=REGRESSION)
    assert {head.kind for head in choice.tried_heads} == {"ridge"}
