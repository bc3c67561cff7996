"""Every objective passes its suite, and the suite fails where an objective is wrong."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbone import Backbone
from headstart.heads.linear import LinearHead, LinearHeadModule
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, Task
from headstart.testing import check_objective
from headstart.testing.objective import N_ITEMS, WIDTH
from headstart.testing.small_source import small_part, small_source
from headstart.tune import objectives
from headstart.tune.feeds.plan import Positions
from headstart.tune.objectives.contrastive import Contrastive
from headstart.tune.objectives.objective import Objective, StepContext
from headstart.tune.objectives.supervised import Supervised
from headstart.tune.recipes.recipe import Recipe

CODES = torch.from_numpy(small_part(N_ITEMS).labels)
LABELS = functional.one_hot(CODES, 3).float()
VALUES = torch.linspace(-1, 1, N_ITEMS)[:, None]
TARGETS = {"classification": CODES, "multilabel": LABELS, "regression": VALUES}


def supervised(task: Task, **settings: Any) -> Callable[[], Objective]:
    def make() -> Objective:
        n_outputs = 3 if task.has_classes else 1
        names = tuple("abc"[:n_outputs])
        ones = np.ones(WIDTH, np.float32)
        weight = 0.1 * torch.randn(n_outputs, WIDTH).numpy()
        head = LinearHead((2,), 0 * ones, ones, weight, np.zeros(n_outputs, np.float32), 1.0, names, task)
        return Supervised(LinearHeadModule(head), Recipe(**settings), TARGETS[task.name])

    return make


RARE = {"class_weights": True, "label_smoothing": 0.1}


@pytest.mark.parametrize(
    "task, settings",
    [
        (CLASSIFICATION, {}),
        (CLASSIFICATION, RARE),
        (CLASSIFICATION, {"logit_adjustment": 1.0}),
        (MULTILABEL, RARE),
        (REGRESSION, {}),
    ],
    ids=str,
)
def test_supervised_passes_for_every_task(task: Task, settings: dict[str, Any]) -> None:
    assert check_objective(supervised(task, **settings), TARGETS[task.name]).divisible


@pytest.mark.parametrize("targets", [CODES, LABELS], ids=["classes", "labels"])
def test_contrastive_passes(targets: Tensor) -> None:
    assert not check_objective(Contrastive, targets).divisible


def test_no_objective_is_left_out() -> None:
    for module in pkgutil.iter_modules(objectives.__path__):
        importlib.import_module(f"{objectives.__name__}.{module.name}")
    own = {
        kind for kind in Objective.__subclasses__() if kind.__module__.startswith("headstart.tune.objectives")
    }
    assert own == {Supervised, Contrastive}


class Reconstruction(Objective):
    """The mean colour of a picture, decoded from its embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = nn.Sequential(nn.Linear(WIDTH, 6), nn.ReLU(), nn.Linear(6, 3))

    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        return (self.decoder(outputs.float()) - targets).square().mean(dim=1)


class TwoViews:
    """Two noisy views of each picture."""

    def __init__(self) -> None:
        self.x = (
            torch.from_numpy(small_part(N_ITEMS).items / 128 - 1).float().permute(0, 3, 1, 2).contiguous()
        )
        self.n_items, self.buckets = N_ITEMS, [np.arange(N_ITEMS)]

    def batches(
        self, plan: list[Positions], *, seed: int, epoch: int, start: int
    ) -> Iterator[tuple[Positions, Any]]:
        for step in range(start, len(plan)):
            x = self.x[torch.from_numpy(plan[step])]
            noise = np.random.default_rng([seed, epoch, step]).normal(0, 0.1, (2, *x.shape))
            yield plan[step], tuple(x + torch.from_numpy(view).float() for view in noise)

    def run(self, backbone: Backbone, inputs: Any, device: torch.device) -> tuple[Tensor, ...]:
        return tuple(backbone(view) for view in inputs)


class Agreement(Objective):
    """Two views of a picture must find each other in the batch."""

    divisible = False

    def __init__(self) -> None:
        super().__init__()
        self.projector = nn.Sequential(nn.Linear(WIDTH, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))

    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        z = functional.normalize(self.projector(torch.cat(outputs).float()), dim=1)
        similar = (z @ z.T / 0.2).fill_diagonal_(-torch.inf)
        return functional.cross_entropy(similar, torch.arange(len(z)).roll(len(z) // 2))


def test_an_objective_with_a_decoder_passes() -> None:
    assert check_objective(Reconstruction, torch.rand(N_ITEMS, 3)).divisible


def test_an_objective_of_two_views_passes_on_a_feed_of_its_own() -> None:
    check_objective(Agreement, feed=TwoViews(), backbone=lambda: small_source().backbone)


class OfTheBatch(Reconstruction):
    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        return super().forward(outputs, targets, context).mean()


class Centred(Reconstruction):
    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        return super().forward(outputs - outputs.mean(dim=0), targets, context)


class Unused(Reconstruction):
    def __init__(self) -> None:
        super().__init__()
        self.discriminator = nn.Linear(WIDTH, 1)


class Blind(Reconstruction):
    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        return super().forward(outputs.detach(), targets, context)


class Forgotten(Reconstruction):
    def rates(self, recipe: Recipe) -> Mapping[str, float]:
        return {"encoder": recipe.head_lr}


class Resting(Reconstruction):
    def rates(self, recipe: Recipe) -> Mapping[str, float]:
        return {"decoder": 0.0}


class Normalising(Reconstruction):
    def __init__(self) -> None:
        super().__init__()
        self.decoder = nn.Sequential(nn.BatchNorm1d(WIDTH), nn.Linear(WIDTH, 3))


class InFull(Reconstruction):
    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        return (self.decoder(outputs) - targets).square().mean(dim=1)


class Diverging(Reconstruction):
    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        return super().forward(outputs, targets, context) / (1 - context.share)


class Remembering(Reconstruction):
    """What it has seen is neither a parameter nor a buffer, so no checkpoint holds it."""

    seen = 0.0

    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        self.seen += float(self.training)
        return super().forward(outputs, targets, context) * (1 + self.seen)


@pytest.mark.parametrize(
    "kind, fault",
    [
        (OfTheBatch, r"losses of shape \(\) for 12 items, expected \(12,\) where divisible is True"),
        (Centred, r"in three parts, .*: differs by"),
        (Unused, r"no gradient reaches the objective's parameter 'discriminator\.weight'"),
        (Blind, "no gradient reaches the network"),
        (Forgotten, r"`rates` is wrong: .* no rate for decoder\.0\.weight"),
        (Resting, r"\['decoder\.0\.weight'.*\] do not train"),
        (Normalising, r"'decoder\.0' normalises over the batch"),
        (InFull, "take them as `outputs.float"),
        (Diverging, "a loss is not finite after 9 of 9 steps"),
        (Remembering, "resumed in the middle of an epoch: .* differs by"),
    ],
)
def test_what_is_wrong_is_named(kind: type[Objective], fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        check_objective(kind, torch.rand(N_ITEMS, 3))
