"""What an objective is: the loss of a training as a module, with parameters of its own.

A new one is a subclass with a `forward`. Its parameters (a head, a projector, a decoder, a discriminator) are
optimised after those of the network, written into checkpoints, averaged (`ema`) and shared between processes as
the network's are.

Legend: N items of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from headstart.tune.recipes.recipe import Recipe


@dataclass(frozen=True)
class StepContext:
    """The position of a step in its training.

    Attributes:
        epoch: counted from 1.
        step: within the epoch, counted from 0.
        n_done: steps taken before it, over the whole training.
        n_steps: of the whole training.
    """

    epoch: int
    step: int
    n_done: int
    n_steps: int

    @property
    def share(self) -> float:
        """The share of the training that is done, from 0 to 1."""
        return self.n_done / max(1, self.n_steps)


class Objective(nn.Module):
    """The loss of a batch.

    Attributes:
        divisible: whether the mean loss of a batch is that of its parts. False if the loss needs all items of
            a batch at once (pairs, statistics of the batch): then the batch is never split, neither into parts
            nor between processes.

    Example:
        >>> class Reconstruction(Objective):
        ...     def __init__(self, decoder: nn.Module) -> None:
        ...         super().__init__()
        ...         self.decoder = decoder
        ...
        ...     def forward(self, outputs, targets, context):
        ...         return (self.decoder(outputs) - targets).square().flatten(1).mean(dim=1)
    """

    divisible: bool = True

    def forward(self, outputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        """The loss.

        Args:
            outputs: what the feed's run of the network gave, in the precision of the run.
            targets: of the items of the batch, by row; None if there are none.
            context: where in the training the step is.

        Returns:
            One loss per item, of shape (N,), whose mean is the loss of the batch; or, if the loss is not
            divisible, one for the whole batch, of shape ().
        """
        raise NotImplementedError

    def rates(self, recipe: Recipe) -> Mapping[str, float]:
        """The peak rate of each child module with parameters, by its name, in order; "" is the objective itself."""
        return {"": recipe.head_lr}
