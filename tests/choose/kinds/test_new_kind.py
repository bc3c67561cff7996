"""A kind of head that is not linear: registered, chosen, exported, and the program gives its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.backbone import Backbone
from headstart.choose import ArrayFeatures, choose_head
from headstart.choose.kinds import KINDS, HeadKind
from headstart.choose.tried_head import Trial, TriedHead
from headstart.heads.linear import linear_or_none
from headstart.heads.predictor import Predictor
from headstart.heads.reduce import Reduced, Rows
from headstart.runs.directory import RunDirectory
from headstart.runs.export import save_model
from headstart.tasks import Targets, Task


class GaussianModule(nn.Module):
    """The torch form: log density of a Gaussian with a diagonal covariance per class."""

    def __init__(self, head: GaussianHead) -> None:
        super().__init__()
        self.task, self.temperature = head.task, head.temperature
        self.mean, self.variance = nn.Parameter(head.mean), nn.Parameter(head.variance)

    def logits(self, x_ND: Tensor) -> Tensor:
        distance = (x_ND[:, None] - self.mean).square() / self.variance
        return -0.5 * (distance + self.variance.log()).sum(dim=2)

    def forward(self, x_ND: Tensor) -> Tensor:
        return self.task.activated_tensor(self.logits(x_ND), self.temperature)


@dataclass(frozen=True, eq=False)
class GaussianHead:
    """Quadratic in the features: no linear layer is the same."""

    stages: tuple[int, ...]
    mean: Tensor
    variance: Tensor
    temperature: float
    classes: tuple[str, ...]
    task: Task
    kind: str = "gaussian"

    @property
    def n_features(self) -> int:
        return self.mean.shape[1]

    def logits(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        with torch.no_grad():
            return GaussianModule(self).logits(torch.from_numpy(np.asarray(features, np.float32))).numpy()

    def outputs(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        return self.task.activated(self.logits(features), self.temperature)

    def predict(self, features: NDArray[np.floating]) -> NDArray[Any]:
        return Targets(self.task, self.classes).decode(self.outputs(features))

    def module(self) -> nn.Module:
        return GaussianModule(self)

    def tensors(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "variance": self.variance}

    def folded(self) -> None:
        return None


def fitted(
    x_ND: NDArray[np.floating], codes: NDArray[Any], stages: tuple[int, ...], targets: Targets, t: float
) -> Any:
    of_class = [x_ND[codes == code] for code in range(targets.n_outputs)]
    mean = torch.from_numpy(np.stack([part.mean(axis=0) for part in of_class]).astype(np.float32))
    variance = torch.from_numpy(np.stack([part.var(axis=0) + 1e-6 for part in of_class]).astype(np.float32))
    return GaussianHead(stages, mean, variance, t, targets.classes, targets.task)


def score(reduced: Reduced, trial: Trial, stages: tuple[int, ...]) -> TriedHead | None:
    if not trial.task.one_per_item:
        return None
    targets = Targets(trial.task, tuple(map(str, range(trial.n_outputs))))
    logits = np.zeros((len(trial.targets), trial.n_outputs), np.float32)
    for fold in np.unique(trial.folds):
        out = trial.folds == fold
        head = fitted(reduced.z[~out], trial.targets[~out], stages, targets, 1.0)
        logits[out] = head.logits(reduced.z[out])
    return trial.scored("gaussian", stages, 0.0, logits)


def fit_streamed(
    tried: TriedHead, reduced: Reduced, rows: Rows, encoded: NDArray[Any], targets: Targets
) -> Any:
    return fitted(np.asarray(rows[: rows.shape[0]]), encoded, tried.stages, targets, tried.temperature)


def fit(tried: TriedHead, reduced: Reduced, encoded: NDArray[Any], targets: Targets) -> Any:
    raw = reduced.z @ reduced.axes.T * reduced.standardiser.scale + reduced.standardiser.mean
    return fitted(raw, encoded, tried.stages, targets, tried.temperature)


@pytest.fixture
def gaussian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "gaussian", HeadKind("gaussian", score, fit, fit_streamed))


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
    from headstart.tasks import REGRESSION

    choice = choose_head(ArrayFeatures(("last",), (x,)), values, task=REGRESSION)
    assert {head.kind for head in choice.tried_heads} == {"ridge"}
