"""Methods that are not built here fit the loop: two views with a projector, masked tokens with a decoder, and two
domains with a discriminator; each with parameters of its own, and resumed with the same bits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from resuming import differences, end_after, state_of
from torch import Tensor, nn
from torch.nn import functional
from tune_networks import chain, pictures

from headstart.backbone import Backbone
from headstart.tune import Freeze, Recipe
from headstart.tune.feeds.feed import Machine
from headstart.tune.feeds.plan import Positions, ShuffledPlan
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.setup import Items, Keeping, Network
from headstart.tune.objectives.objective import Objective, StepContext
from headstart.tune.objectives.validation import Measured

N_TOKENS, N_WORDS, MASK = 8, 12, 0


def drawn(*numbers: int) -> np.random.Generator:
    return np.random.default_rng(list(numbers))


class TwoViews:
    """Two noisy views of each picture, drawn anew in every epoch."""

    def __init__(self, x: Tensor) -> None:
        self.x, self.n_items, self.buckets = x, len(x), [np.arange(len(x))]

    def batches(
        self, plan: list[Positions], *, seed: int, epoch: int, start: int
    ) -> Iterator[tuple[Positions, Any]]:
        for step in range(start, len(plan)):
            x = self.x[torch.from_numpy(plan[step])]
            noise = drawn(seed, epoch, step).normal(0, 0.1, (2, *x.shape)).astype(np.float32)
            yield plan[step], tuple(x + torch.from_numpy(view) for view in noise)

    def run(self, backbone: Backbone, inputs: Any, device: torch.device) -> tuple[Tensor, ...]:
        return tuple(backbone(view.to(device)) for view in inputs)


class TwoViewContrast(Objective):
    """Each item's two views must find each other among all views of a batch; a loss of the whole batch."""

    divisible = False

    def __init__(self) -> None:
        super().__init__()
        self.projector = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))

    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        z = functional.normalize(self.projector(torch.cat(outputs)), dim=1)
        similar = (z @ z.T / 0.2).fill_diagonal_(-torch.inf)
        return functional.cross_entropy(similar, torch.arange(len(z)).roll(len(z) // 2))


class MaskedTokens:
    """Texts of which some tokens are masked; all tokens come out, with the ones that were there."""

    def __init__(self, ids: Tensor) -> None:
        self.ids, self.n_items, self.buckets = ids, len(ids), [np.arange(len(ids))]

    def batches(
        self, plan: list[Positions], *, seed: int, epoch: int, start: int
    ) -> Iterator[tuple[Positions, Any]]:
        for step in range(start, len(plan)):
            ids = self.ids[torch.from_numpy(plan[step])]
            hidden = torch.from_numpy(drawn(seed, epoch, step).random(ids.shape) < 0.3)
            hidden[:, 0] = True  # one at least
            yield plan[step], {"ids": ids, "hidden": hidden}

    def run(self, backbone: Backbone, inputs: Mapping[str, Tensor], device: torch.device) -> Any:
        tokens = backbone(inputs["ids"].masked_fill(inputs["hidden"], MASK).to(device))
        return {"tokens": tokens, **inputs}


class Reconstruction(Objective):
    """The decoder names the words that were masked."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = nn.Linear(8, N_WORDS)

    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        scores = self.decoder(outputs["tokens"]).transpose(1, 2)
        losses = functional.cross_entropy(scores, outputs["ids"], reduction="none") * outputs["hidden"]
        return losses.sum(dim=1) / outputs["hidden"].sum(dim=1)


class SideBySide:
    """Labelled pictures of one domain, each beside a picture of another that is drawn for it."""

    def __init__(self, source: Tensor, target: Tensor) -> None:
        self.source, self.target = source, target
        self.n_items, self.buckets = len(source), [np.arange(len(source))]

    def batches(
        self, plan: list[Positions], *, seed: int, epoch: int, start: int
    ) -> Iterator[tuple[Positions, Any]]:
        for step in range(start, len(plan)):
            others = drawn(seed, epoch, step).choice(len(self.target), len(plan[step]))
            yield plan[step], (self.source[torch.from_numpy(plan[step])], self.target[others])

    def run(self, backbone: Backbone, inputs: Any, device: torch.device) -> tuple[Tensor, ...]:
        return tuple(backbone(domain.to(device)) for domain in inputs)


class Reversed(torch.autograd.Function):
    """The values as they are, their gradient turned round."""

    @staticmethod
    def forward(context: Any, x: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        return -context.strength * gradient, None


class Adversarial(Objective):
    """The network separates classes but not domains: the discriminator sends it a reversed gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier, self.discriminator = nn.Linear(8, 3), nn.Linear(8, 1)
        self.strengths: list[float] = []

    def rates(self, recipe: Recipe) -> Mapping[str, float]:
        return {"classifier": recipe.head_lr, "discriminator": 0.3 * recipe.head_lr}

    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        assert targets is not None
        self.strengths.append(context.share)
        domain_losses = [
            functional.softplus(sign * self.discriminator(Reversed.apply(x, context.share))[:, 0])
            for x, sign in zip(outputs, (1, -1), strict=True)
        ]
        losses = functional.cross_entropy(self.classifier(outputs[0]), targets, reduction="none")
        return losses + 0.5 * (domain_losses[0] + domain_losses[1])


class HeldOutLoss:
    """A validation of any kind: how well the classifier does on other pictures of the first domain."""

    n_items, quality_name = 20, "accuracy"

    def __init__(self, backbone: Backbone, objective: Adversarial) -> None:
        self.backbone, self.objective = backbone, objective
        x, labels = pictures()
        self.x, self.labels = x[40:], torch.from_numpy(labels[40:])

    def measure(self) -> Measured:
        self.backbone.module.eval()
        with torch.no_grad():
            scores = self.objective.classifier(self.backbone(self.x))
        right = (scores.argmax(1) == self.labels).float().mean()
        return Measured(float(functional.cross_entropy(scores, self.labels)), float(right), scores.numpy())


def loop_of(
    backbone: Backbone,
    feed: Any,
    targets: Tensor | None,
    objective: Objective,
    folder: Path | None,
    validation: Any = None,
    **settings: Any,
) -> Loop:
    recipe = Recipe(**{"epochs": 3, "batch_size": 8, "lr": 1e-2, "head_lr": 2e-2, "ema": 0.9, **settings})
    return Loop(
        Network(backbone, Freeze(backbone, backbone.stages[:1])),
        Items(feed, targets, ShuffledPlan(feed.buckets, recipe.batch_size, seed=0)),
        objective,
        validation,
        recipe,
        machine=Machine(checkpoint_seconds=0.0),
        keeping=Keeping(folder),
    )


def two_views(folder: Path | None = None, **settings: Any) -> Loop:
    x, _ = pictures()
    backbone = chain()
    return loop_of(backbone, TwoViews(x[:40]), None, TwoViewContrast(), folder, **settings)


def masked_tokens(folder: Path | None = None, **settings: Any) -> Loop:
    ids = torch.from_numpy((drawn(0).integers(1, 4, (40, 1)) + 2 * np.arange(N_TOKENS)) % (N_WORDS - 1) + 1)
    torch.manual_seed(0)
    stages = {
        "embeddings": nn.Embedding(N_WORDS, 8),
        "layer0": nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        "layer1": nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
    }
    backbone = Backbone(nn.Sequential(OrderedDict(stages)), {name: name for name in stages})
    return loop_of(
        backbone, MaskedTokens(ids), None, Reconstruction(), folder, **{"accumulate": 2, **settings}
    )


def two_domains(folder: Path | None = None, **settings: Any) -> Loop:
    x, labels = pictures()
    backbone = chain()
    torch.manual_seed(0)
    objective = Adversarial()
    feed = SideBySide(x[:40], 1.5 * x[:24] - 0.5)
    targets, validation = torch.from_numpy(labels[:40]), HeldOutLoss(backbone, objective)
    return loop_of(backbone, feed, targets, objective, folder, validation, **settings)


METHODS = (two_views, masked_tokens, two_domains)
Method = Callable[..., Loop]


@pytest.mark.parametrize("method", METHODS)
def test_it_learns_with_the_objectives_own_parameters(method: Method) -> None:
    loop = method(epochs=16, ema=None, patience=99)
    start = {name: tensor.clone() for name, tensor in loop.objective.state_dict().items()}
    loop.run()
    losses = [row["train_loss"] for row in loop.at.history if row["train_loss"] is not None]
    assert losses[-1] < 0.9 * losses[0]
    moved = {n for n, t in loop.objective.state_dict().items() if not torch.equal(t, start[n])}
    assert {name for name, _ in loop.objective.named_parameters()} <= moved
    assert all(parameter in loop.optimizer.state for parameter in loop.objective.parameters())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_steps", [0, 4, 5, 12])
def test_ended_at_any_step_it_resumes_with_the_same_bits(
    method: Method, n_steps: int, tmp_path: Path
) -> None:
    """Network, objective, optimizer, moving average and history."""
    whole = method()
    whole.run()
    end_after(n_steps, method(tmp_path))
    resumed = method(tmp_path)
    resumed.run(resume=True)
    assert differences(state_of(whole), state_of(resumed)) == []


@pytest.mark.parametrize("method", METHODS)
def test_the_objective_is_in_the_checkpoint_and_in_the_average(method: Method, tmp_path: Path) -> None:
    loop = method(tmp_path)
    loop.run(until_epoch=1)
    own = loop.objective.state_dict()
    saved = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["weights"]["objective"].keys() == own.keys()
    assert {f"objective.{name}" for name in own} <= saved["average"]["tensors"].keys()


def test_domains_have_rates_of_their_own_and_a_strength_that_grows() -> None:
    loop = two_domains()
    rates = {group["name"]: group["peak_lr"] for group in loop.optimizer.param_groups}
    assert rates["objective classifier"] == 0.02 and rates["objective discriminator"] == pytest.approx(0.006)
    loop.run()
    strengths = loop.objective.strengths
    assert strengths[0] == 0 and strengths == sorted(strengths) and strengths[-1] == pytest.approx(14 / 15)
    assert loop.at.best_epoch > 0 and loop.kept.best_outputs.shape == (20, 3)
    assert loop.at.history[-1].keys() >= {"validation_loss", "validation_accuracy"}


def test_a_loss_of_the_whole_batch_is_not_split(tmp_path: Path) -> None:
    loop = two_views(accumulate=4)
    assert loop.step.n_parts == 1
    loop.objective.divisible = loop.step.divisible = True
    with pytest.raises(TypeError, match="divisible = False"):
        loop.run()


def test_a_parameter_without_a_rate_is_refused() -> None:
    class Forgotten(Adversarial):
        def rates(self, recipe: Recipe) -> Mapping[str, float]:
            return {"classifier": recipe.head_lr}

    x, _ = pictures()
    with pytest.raises(TypeError, match=r"no rate for discriminator\.weight, discriminator\.bias"):
        loop_of(chain(), SideBySide(x, x), None, Forgotten(), None)
