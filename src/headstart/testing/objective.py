"""What every objective must satisfy: its losses have the right form, its parameters learn, and it resumes exactly.

Legend: N items of a batch.

Example:
    >>> import torch
    >>> from torch import nn
    >>> from headstart.tune.objectives.objective import Objective
    >>> class Reconstruction(Objective):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.decoder = nn.Linear(WIDTH, 3)
    ...
    ...     def forward(self, outputs, targets, context):
    ...         return (self.decoder(outputs.float()) - targets).square().mean(dim=1)
    >>> check_objective(Reconstruction, torch.randn(N_ITEMS, 3)).divisible
    True
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbone import Backbone
from headstart.testing.close import require, require_close, require_same_bits
from headstart.testing.small_source import WIDTH, small_part, small_source
from headstart.tune.feeds.feed import Feed, Machine
from headstart.tune.feeds.plan import Positions, ShuffledPlan
from headstart.tune.feeds.tensors import TensorFeed
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.setup import Items, Keeping, Network
from headstart.tune.objectives.objective import Objective, StepContext
from headstart.tune.policies.freeze import Freeze
from headstart.tune.recipes.recipe import Recipe

__all__ = ["N_ITEMS", "WIDTH", "check_objective"]

TOLERANCE = 1e-4  # of a gradient, relative to the largest one
N_ITEMS = 24  # of the small feed
N_STEPS_BEFORE_STOP = 5  # of nine: in the middle of an epoch


def check_objective(
    make: Callable[[], Objective],
    targets: Tensor | None = None,
    *,
    feed: Feed | None = None,
    backbone: Callable[[], Backbone] | None = None,
) -> Objective:
    """Check an objective in trainings of a small network.

    Args:
        make: makes the objective; equal calls at an equal seed of torch make equal objectives.
        targets: of all items, by position; None: it takes none.
        feed: gives batches and runs them through the backbone; None: 24 pictures, whose embeddings have shape
            (N, 10).
        backbone: makes the network of the feed, in eval mode; its first stage is frozen. None: a small
            convolutional network.

    Returns:
        The objective after a training.

    Raises:
        AssertionError: a check fails; the message says which and by how much.
    """
    checks = _Checks(make, targets, feed or _pictures(), backbone or (lambda: small_source().backbone))
    objective = checks.losses()
    checks.gradients()
    checks.parts()
    checks.precision()
    with tempfile.TemporaryDirectory() as folder:
        checks.resume(Path(folder))
    return objective


class _Checks:
    """The checks of one objective, each on loops of its own with an equal start."""

    def __init__(
        self,
        make: Callable[[], Objective],
        targets: Tensor | None,
        feed: Feed,
        backbone: Callable[[], Backbone],
    ) -> None:
        self.make, self.targets, self.feed, self.backbone = make, targets, feed, backbone
        self.positions = np.arange(min(feed.n_items, 12))

    def losses(self) -> Objective:
        """The losses of a batch at the start, in the middle and at the end of a training; what the suite returns."""
        loop = self.loop()
        objective = loop.objective
        for share in (0, 4, 9):
            context = StepContext(epoch=1 + share // 4, step=0, n_done=share, n_steps=9)
            losses = self.computed(loop, context)
            n_items = len(self.positions)
            allowed = [(n_items,)] if objective.divisible else [(n_items,), ()]
            require(
                tuple(losses.shape) in allowed,
                f"losses of shape {tuple(losses.shape)} for {n_items} items, expected "
                f"{' or '.join(map(str, allowed))} where divisible is {objective.divisible}",
            )
            require(losses.is_floating_point(), f"losses of {losses.dtype}")
            require(bool(torch.isfinite(losses).all()), f"a loss is not finite after {share} of 9 steps")
            require_close(self.computed(loop, context), losses, 0.0, "losses in eval mode, computed again")
        norms = [
            name for name, m in objective.named_modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)
        ]
        require(
            not (norms and objective.divisible),
            f"'{', '.join(norms)}' normalises over the batch, so the loss is not that of its parts: set "
            "`divisible = False`",
        )
        return objective

    def gradients(self) -> None:
        """They reach the network and every parameter of the objective."""
        loop = self.loop()
        found = self.gradients_of(loop)
        for name, parameter in loop.objective.named_parameters():
            if parameter.requires_grad:
                require(
                    f"objective.{name}" in found, f"no gradient reaches the objective's parameter '{name}'"
                )
        network = [gradient for name, gradient in found.items() if name.startswith("network.")]
        require(any(bool(gradient.any()) for gradient in network), "no gradient reaches the network")
        for name, gradient in found.items():
            require(bool(torch.isfinite(gradient).all()), f"the gradient of '{name}' is not finite")

    def parts(self) -> None:
        """A divisible loss has the same gradients in three parts; another is never split."""
        whole, divided = self.loop(train_mode=False), self.loop(accumulate=3, train_mode=False)
        if not whole.objective.divisible:
            require(divided.step.n_parts == 1, "a loss that is not divisible is computed in parts")
            return
        expected, got = self.gradients_of(whole), self.gradients_of(divided)
        largest = max(float(gradient.abs().max()) for gradient in expected.values())
        for name, gradient in expected.items():
            what = (
                f"the gradient of '{name}' in three parts, of the largest one (if the loss needs all items of a "
                "batch at once, set `divisible = False`)"
            )
            require_close(got[name] / largest, gradient / largest, TOLERANCE, what)

    def precision(self) -> None:
        """The outputs come in the precision of the run."""
        loop = self.loop(machine=Machine(precision="bf16"))
        try:
            found = self.gradients_of(loop)
        except RuntimeError as error:
            raise AssertionError(
                f"with --precision bf16 the outputs are bfloat16; take them as `outputs.float()`: {error}"
            ) from error
        for name, gradient in found.items():
            require(bool(torch.isfinite(gradient).all()), f"in bf16 the gradient of '{name}' is not finite")

    def resume(self, folder: Path) -> None:
        """Ended in the middle of an epoch and resumed, a training reaches the same bits."""
        whole = self.loop()
        before = {name: tensor.clone() for name, tensor in whole.weights.tensors().items()}
        whole.run()
        after = whole.weights.tensors()
        still = [name for name, p in whole.objective.named_parameters() if p.requires_grad]
        still = [
            name for name in still if torch.equal(after[f"objective.{name}"], before[f"objective.{name}"])
        ]
        require(not still, f"the objective's parameters {still} do not train: give them a rate above 0")
        stopping = _Stopping(self.feed)
        try:
            self.loop(feed=stopping, folder=folder).run()
        except _Stopped:
            resumed = self.loop(folder=folder)
            resumed.run(resume=True)
            require_same_bits(resumed.weights.tensors(), after, "resumed in the middle of an epoch")
            return
        raise AssertionError(f"the feed gave fewer than {N_STEPS_BEFORE_STOP} batches in three epochs")

    def computed(self, loop: Loop, context: StepContext) -> Tensor:
        """The losses of the first batch, in eval mode."""
        loop.freeze.train(False)
        loop.objective.eval()
        positions, inputs = self.batch()
        with torch.no_grad():
            outputs = self.feed.run(loop.network.backbone, inputs, torch.device("cpu"))
            targets = None if self.targets is None else self.targets[torch.from_numpy(positions)]
            losses: Tensor = loop.objective(outputs, targets, context)
        return losses

    def gradients_of(self, loop: Loop) -> dict[str, Tensor]:
        """Gradients of the first batch by name, in the second epoch; those that are there."""
        loop.set_modes()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            loop.gradients(*self.batch(), epoch=2, step=0)
        parameters = {f"network.{name}": p for name, p in loop.freeze.trained_parameters().items()}
        parameters |= {f"objective.{name}": p for name, p in loop.objective.named_parameters()}
        return {name: p.grad.clone() for name, p in parameters.items() if p.grad is not None}

    def batch(self) -> tuple[Positions, Any]:
        """The first batch."""
        return next(iter(self.feed.batches([self.positions], seed=0, epoch=1, start=0)))

    def loop(
        self,
        *,
        feed: Feed | None = None,
        folder: Path | None = None,
        machine: Machine | None = None,
        train_mode: bool = True,
        **settings: Any,
    ) -> Loop:
        """A training of nine steps that has not begun; equal calls train equally."""
        batch_size = -(-self.feed.n_items // 3)
        recipe = Recipe(epochs=3, batch_size=batch_size, lr=1e-2, head_lr=1e-2, ema=0.9, **settings)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            backbone, objective = self.backbone(), self.make()
        try:
            return Loop(
                Network(backbone, Freeze(backbone, backbone.stages[:1])),
                Items(feed or self.feed, self.targets, ShuffledPlan(self.feed.buckets, batch_size, seed=0)),
                objective,
                None,
                recipe,
                machine=machine or Machine(checkpoint_seconds=0.0),
                keeping=Keeping(folder),
                train_mode=train_mode,
            )
        except TypeError as error:
            raise AssertionError(f"`rates` is wrong: {error}") from error


class _Stopped(Exception):
    """The feed has given enough batches."""


class _Stopping:
    """A feed that ends the training after some batches."""

    def __init__(self, feed: Feed) -> None:
        self.feed, self.n_items, self.buckets = feed, feed.n_items, feed.buckets
        self.n_given = 0

    def batches(
        self, plan: Sequence[Positions], *, seed: int, epoch: int, start: int
    ) -> Iterator[tuple[Positions, Any]]:
        for given in self.feed.batches(plan, seed=seed, epoch=epoch, start=start):
            if self.n_given == N_STEPS_BEFORE_STOP:
                raise _Stopped
            self.n_given += 1
            yield given

    def run(self, backbone: Backbone, inputs: Any, device: torch.device) -> Any:
        return self.feed.run(backbone, inputs, device)


def _pictures() -> TensorFeed:
    """The pictures of the small part as tensors."""
    pictures = np.asarray(small_part(N_ITEMS).items, dtype=np.float32) / 128 - 1
    return TensorFeed(torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous())
