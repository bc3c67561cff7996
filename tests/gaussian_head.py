"""A head that is not linear, as a contributor would add it: a Gaussian with a diagonal covariance per class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.choose.kinds import HeadKind
from headstart.choose.tried_head import Trial, TriedHead
from headstart.heads.reduce import Reduced, Rows
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


GAUSSIAN = HeadKind("gaussian", score, fit, fit_streamed)
