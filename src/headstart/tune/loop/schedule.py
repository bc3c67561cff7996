"""The steps of a training: how many, of which batches, at which rate; functions of the recipe and the step alone.

Nothing here changes from step to step, so a resumed run takes the same steps as an uninterrupted one.
"""

from __future__ import annotations

import math

from headstart.errors import TrainingError
from headstart.tune.feeds.plan import Plan, Positions
from headstart.tune.objectives.objective import StepContext
from headstart.tune.recipes.recipe import Recipe


class Schedule:
    """The steps of one training.

    Args:
        plan: the batches of each epoch.
        recipe: its `epochs` or `steps`, and the shape of the rate.
        smallest: batches of fewer items are left out.

    Raises:
        TrainingError: no batch is large enough.
    """

    def __init__(self, plan: Plan, recipe: Recipe, smallest: int) -> None:
        self._plan, self.recipe, self.smallest = plan, recipe, smallest
        self.n_per_epoch = len(self.plan(1))
        if not self.n_per_epoch:
            raise TrainingError(
                "batch normalisation needs two items in a batch: raise batch_size, or give more items"
            )

    def plan(self, epoch: int) -> list[Positions]:
        """The batches of an epoch, counted from 1; with `steps` the last epoch is cut short."""
        plan = [batch for batch in self._plan(epoch) if len(batch) >= self.smallest]
        if self.recipe.steps is None:
            return plan
        return plan[: self.recipe.steps - (epoch - 1) * len(plan)]

    @property
    def n_epochs(self) -> int:
        """Number of epochs planned."""
        return n_epochs_of(self.recipe, self.n_per_epoch)

    @property
    def n_steps(self) -> int:
        """Number of optimizer steps planned."""
        return n_steps_of(self.recipe, self.n_per_epoch)

    def context(self, epoch: int, step: int) -> StepContext:
        """Where in the training a step is."""
        return StepContext(epoch, step, (epoch - 1) * self.n_per_epoch + step, self.n_steps)

    def n_items(self, n_items: int, epoch: int, step: int) -> tuple[int, int]:
        """How many items a whole training goes through, and how many are done before a step.

        Args:
            n_items: of an epoch.
            epoch, step: where the training is.
        """
        at = self.context(epoch, step)
        return at.n_steps * n_items // self.n_per_epoch, at.n_done * n_items // self.n_per_epoch

    def why_it_ends(self) -> str:
        """The reason to stop after the last epoch, as a clause."""
        if self.recipe.steps is None:
            return "the one epoch was run" if self.n_epochs == 1 else f"all {self.n_epochs} epochs were run"
        return (
            "the one step was taken"
            if self.recipe.steps == 1
            else f"all {self.recipe.steps} steps were taken"
        )


def n_steps_of(recipe: Recipe, steps_an_epoch: int) -> int:
    """Number of optimizer steps of a whole training: `steps` if the recipe gives it, else from its epochs."""
    return recipe.epochs * steps_an_epoch if recipe.steps is None else recipe.steps


def n_epochs_of(recipe: Recipe, steps_an_epoch: int) -> int:
    """Number of epochs begun in a whole training; with `steps` the last one may be cut short."""
    return recipe.epochs if recipe.steps is None else math.ceil(recipe.steps / steps_an_epoch)


def rate_factor(step: int, n_steps: int, recipe: Recipe) -> float:
    """The share of the peak rate at a step.

    It rises linearly over the warm-up. Then it falls along half a cosine or a line (to zero just after the
    last step), stays at 1, or (`steps`) is divided by ten after each share of `decay_at`. `steps` is the
    schedule of BiT-HyperRule (Kolesnikov et al. 2020, big_transfer's bit_hyperrule.py) to the step: its
    warm-up begins at zero, and a division takes effect one step after its milestone.

    Args:
        step: counted from 0 over the whole training.
        n_steps: number of steps of the whole training.
        recipe: its `warmup_share`, `schedule` and `decay_at` are used.
    """
    n_warmup = _floor(recipe.warmup_share * n_steps)
    if recipe.schedule == "steps":
        if step < n_warmup:
            return step / n_warmup
        return math.pow(10.0, -sum(step > _floor(share * n_steps) for share in recipe.decay_at))
    if step < n_warmup:
        return (step + 1) / (n_warmup + 1)
    done = (step - n_warmup) / max(1, n_steps - n_warmup)
    if recipe.schedule == "constant":
        return 1.0
    if recipe.schedule == "linear":
        return max(0.0, 1 - done)
    return 0.5 * (1 + math.cos(math.pi * done))


def _floor(value: float) -> int:
    """The whole steps in a share of all steps; 0.29 * 100 is 29, although its float is slightly less."""
    return math.floor(value + 1e-9)
