"""The rate finder: a range test that gives the same answer each time, and changes nothing.

The rate of the trained stages rises exponentially from step to step until the loss diverges (Smith 2017,
"Cyclical learning rates for training neural networks", section 3.3). The curve is not the loss itself but its
change: a few batches are used in turn, each always with the same augmentation and dropout, and a batch's loss
before the first step is subtracted. So the curve shows the effect of the rate, and does not depend on which
batch came when. The objective's own parameters (a head, which starts fitted) do not train: they have rates of
their own.

The suggestion is the rate at which the smoothed loss, moved back by its lag, falls fastest over five steps of
equal ratio, before its minimum. If the loss does not fall (the probe left nothing to gain), it is a
tenth of the rate at which the loss begins to rise.

Weights, statistics and random generators are restored bit for bit; the training's own optimizer takes no step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from headstart import randomness
from headstart.errors import OptionError
from headstart.progress import say
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.measure import unchanged
from headstart.tune.loop.optimizer import make_optimizer, set_rates, stage_groups
from headstart.tune.loop.step import clip_gradients
from headstart.tune.recipes.recipe import Recipe

LOWEST, HIGHEST, N_STEPS = 1e-7, 1.0, 60
_N_BATCHES = 8
_SMOOTHING = 0.7
_LAG = 1 + round(_SMOOTHING / (1 - _SMOOTHING))  # steps by which the smoothed loss lags behind the rate
_LEAST_FALL = 0.01  # share of the loss at the start: a smaller decrease does not count


@dataclass(frozen=True, eq=False)
class RateSearch:
    """The result of a range test.

    Attributes:
        rates: of shape (n_steps,), rising.
        losses: of shape (n_steps,), the loss at the start plus the smoothed change.
        suggestion: the rate to train at.
        reason: the rule that gave it, as a sentence.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    suggestion: float
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The search as plain values for metrics.json."""
        return {
            "rates": [float(rate) for rate in self.rates],
            "losses": [float(loss) for loss in self.losses],
            "suggestion": self.suggestion,
            "reason": self.reason,
        }


def find_rate(loop: Loop, *, n_steps: int = N_STEPS) -> RateSearch:
    """Find the peak rate of the last trained stage by a range test.

    Args:
        loop: before its training; its recipe's `lr` may be any number. Other stages keep their ratio to the
            last (`layer_decay`).
        n_steps: maximum number of steps of the test.

    Raises:
        OptionError: no stage trains in the first epoch.
    """
    recipe = loop.recipe.model_copy(update={"lr": 1.0})
    with randomness.seeded(loop.seed), unchanged(loop):
        loop.set_modes()
        opened = [stage for stage in loop.freeze.stages if stage not in loop.freeze.frozen]
        optimizer = make_optimizer(stage_groups(loop.freeze, recipe, opened), recipe, loop.machine.device)
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        if not parameters:
            raise OptionError(
                "no stage trains in the first epoch, so there is no rate to find: give one with --lr"
            )
        plan = loop.schedule.plan(1)[:_N_BATCHES]
        batches = list(loop.items.feed.batches(plan, seed=loop.seed, epoch=1, start=0))

        def gradients(number: int) -> float:
            torch.manual_seed(loop.seed + number)
            positions, inputs = batches[number]
            loop.optimizer.zero_grad()
            loss = loop.gradients(positions, inputs, epoch=1, step=number)
            return float(loss)

        def step(rate: float) -> None:
            set_rates(optimizer, rate)
            if recipe.clip_norm is not None:
                clip_gradients(parameters, recipe.clip_norm)
            optimizer.step()

        return range_test(gradients, step, len(batches), n_steps)


def with_rate_found(recipe: Recipe, make_loop: Callable[[Recipe], Loop]) -> tuple[Loop, RateSearch | None]:
    """The training of a recipe; if its rate is "auto", it is replaced by the suggested rate, which is reported.

    Args:
        recipe: the settings.
        make_loop: makes the training of a recipe with a rate; called twice if the rate is "auto".
    """
    if not isinstance(recipe.lr, str):
        return make_loop(recipe), None
    search = find_rate(make_loop(recipe.model_copy(update={"lr": LOWEST})))
    say(f"lr auto: {search.suggestion:.2g}, {search.reason}")
    return make_loop(recipe.model_copy(update={"lr": search.suggestion})), search


def range_test(
    loss_of: Callable[[int], float], step: Callable[[float], None], n_batches: int, n_steps: int = N_STEPS
) -> RateSearch:
    """Sweep the rates and suggest one.

    Args:
        loss_of: the loss of a batch by its number, at the present weights; its gradients are left in the parameters.
        step: takes a step at a rate along these gradients.
        n_batches: number of batches, used in turn.
        n_steps: maximum number of steps.
    """
    at_start = np.array([loss_of(number) for number in range(n_batches)])
    start = float(at_start.mean())
    rates = np.geomspace(LOWEST, HIGHEST, n_steps)
    changes: list[float] = []
    smoothed = 0.0
    for index, rate in enumerate(rates):
        number = index % n_batches
        change = loss_of(number) - float(at_start[number])
        if not math.isfinite(change) or change > start + 1:
            break
        smoothed = _SMOOTHING * smoothed + (1 - _SMOOTHING) * change
        changes.append(smoothed / (1 - _SMOOTHING ** (index + 1)))
        step(float(rate))
    # a loss shows the effect of the steps before it, and smoothing adds to this lag
    tried, losses = rates[: max(0, len(changes) - _LAG)], start + np.array(changes[_LAG:])
    suggestion, reason = suggest(tried, losses, start)
    return RateSearch(tried, losses, suggestion, reason)


def suggest(rates: NDArray[np.floating], losses: NDArray[np.floating], start: float) -> tuple[float, str]:
    """Read the rate off a smoothed curve.

    Args:
        rates: of shape (n_steps,), in equal ratios.
        losses: of shape (n_steps,), smoothed.
        start: the loss before the first step.

    Returns:
        The rate, and the rule that gave it.
    """
    if len(rates) < 3:
        return LOWEST, "the loss diverged in the first steps: the lowest rate"
    least = int(np.argmin(losses))
    if start - losses[least] > _LEAST_FALL * abs(start) and least >= 2:
        slope = np.convolve(np.gradient(losses[: least + 1]), np.ones(5) / 5, mode="same")
        return float(rates[int(np.argmin(slope))]), "the rate at which the loss falls fastest"
    risen = np.flatnonzero(losses > start + _LEAST_FALL * abs(start))
    first = int(risen[0]) if len(risen) else len(rates) - 1
    return float(max(LOWEST, rates[first] / 10)), "a tenth of the rate at which the loss begins to rise"
