"""One optimizer step: a batch in parts, the loss, the pull to the start, clipping.

If the device runs out of memory, the batch is computed in twice as many parts: the same items, the same step,
fewer items at a time. In several processes each takes its share of the batch, and the gradients are those of
the whole batch.

Legend: N items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.errors import TrainingError
from headstart.memory import free, is_out_of_memory
from headstart.progress import say
from headstart.tune.feeds.feed import Feed, Machine, autocast, rows_of
from headstart.tune.feeds.plan import Positions
from headstart.tune.loop.setup import Items
from headstart.tune.loop.sharing import Sharing
from headstart.tune.objectives.l2_sp import l2_sp
from headstart.tune.objectives.objective import Objective, StepContext
from headstart.tune.policies.freeze import Freeze
from headstart.tune.recipes.recipe import Recipe
from headstart.units import counted


class LossModule(nn.Module):
    """Everything that runs in a step as one module, so that it can be run in several processes.

    Args:
        backbone: the staged network.
        feed: runs its inputs through the backbone.
        objective: gives the loss.
        machine: device and precision.
    """

    def __init__(self, backbone: Any, feed: Feed, objective: Objective, machine: Machine) -> None:
        super().__init__()
        self.network, self.objective = backbone.module, objective
        self._backbone, self._feed, self._machine = backbone, feed, machine

    def forward(self, inputs: Any, targets: Tensor | None, context: StepContext) -> Tensor:
        """The loss of each item, of shape (N,), or of the batch, of shape ()."""
        with autocast(self._machine):
            outputs = self._feed.run(self._backbone, inputs, self._machine.device)
        losses: Tensor = self.objective(outputs, targets, context)
        return losses


class Step:
    """Takes optimizer steps.

    Args:
        module: gives the losses; wrapped if several processes share the batches.
        optimizer: over the trained parameters.
        items: whose targets are looked up and mixed.
        recipe: the settings.
        machine: where it runs.
        sharing: of each batch between processes.
        smallest: least number of items in a part.
        divisible: whether the loss of a batch is the mean over its parts.
        network_parameters: the trained parameters of the network, by name, at each step.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        items: Items,
        recipe: Recipe,
        *,
        machine: Machine,
        sharing: Sharing,
        smallest: int,
        divisible: bool,
        network_parameters: Callable[[], Mapping[str, nn.Parameter]],
    ) -> None:
        self.module, self.optimizer, self.recipe = module, optimizer, recipe
        self.sharing, self.smallest, self.divisible = sharing, smallest, divisible
        self.n_parts = recipe.accumulate if divisible else 1
        self._device, self._mix = machine.device, items.mix
        self._targets = None if items.targets is None else items.targets.to(machine.device)
        self._weights = None if items.weights is None else items.weights.to(machine.device)
        self._backward, self._network_parameters = sharing.accelerator.backward, network_parameters
        self._anchors: dict[str, Tensor] = {}
        self.keep_anchors()

    def keep_anchors(self) -> None:
        """Add the parameters that train now to what `l2_sp` pulls towards; others keep their values."""
        if self.recipe.l2_sp:
            for name, parameter in self._network_parameters().items():
                self._anchors.setdefault(name, parameter.detach().clone())

    def __call__(self, positions: Positions, inputs: Any, context: StepContext, n_items: int) -> Tensor:
        """Take a step; the mean loss of the batch, or this process's share of it, without the pull to the start.

        Args:
            positions: of this process's items of the batch; of the whole batch, and its share is taken here.
            inputs: of these items.
            context: where in the training the step is.
            n_items: of the whole batch, over all processes.
        """
        loss = self.gradients(positions, inputs, context, n_items)
        if self.recipe.clip_norm is not None:
            parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
            clip_gradients(parameters, self.recipe.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss

    def gradients(self, positions: Positions, inputs: Any, context: StepContext, n_items: int) -> Tensor:
        """Compute the gradients of a batch in parts, in more parts if memory runs out."""
        while True:
            try:
                return self._in_parts(positions, inputs, context, n_items)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            # outside of `except`, so that the failed part's tensors are released
            self._take_more_parts(n_items)

    def _in_parts(self, positions: Positions, inputs: Any, context: StepContext, n_items: int) -> Tensor:
        sharing, weight = self.sharing, 1.0
        if sharing.n > 1 and len(positions) == n_items:
            # a process without an item of its own runs one with weight 0
            weight = float(n_items > sharing.number)
            own = slice(sharing.number, None, sharing.n) if weight else slice(0, 1)
            positions, inputs = positions[own], rows_of(inputs, own, n_items)
        targets = None if self._targets is None else self._targets[torch.from_numpy(positions)]
        weights = None if self._weights is None else self._weights[torch.from_numpy(positions)]
        if self._mix is not None and targets is not None:
            inputs, targets = self._mix(inputs, targets, epoch=context.epoch, step=context.step)
        total = torch.zeros((), device=self._device)
        # the same number in every process, limited by the one with the fewest items
        n_parts = max(1, min(self.n_parts, n_items // sharing.n // self.smallest))
        for rows in np.array_split(np.arange(len(positions)), n_parts):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            last = part.stop == len(positions)
            with nullcontext() if last else sharing.accelerator.no_sync(self.module):
                own_targets = None if targets is None else targets[part]
                losses = self.module(rows_of(inputs, part, len(positions)), own_targets, context)
                losses = losses if weights is None else losses * weights[part]
                share = self._share(losses, weight, n_items)
                total += share.detach()
                self._backward(share * sharing.n)  # gradients are averaged over processes
        if self.recipe.l2_sp:
            self._backward(l2_sp(self._network_parameters(), self._anchors, self.recipe.l2_sp))
        return total

    def _share(self, losses: Tensor, weight: float, n_items: int) -> Tensor:
        """The share of these losses in the mean loss of a batch."""
        if losses.ndim:
            return weight * losses.sum() / n_items
        if self.divisible:
            raise TypeError(
                "a divisible objective gives one loss per item; else set `divisible = False` in it"
            )
        return losses

    def _take_more_parts(self, n_items: int) -> None:
        """Double the parts.

        Raises:
            TrainingError: a part is as small as it can be already, or other processes wait for this one.
        """
        self.optimizer.zero_grad()
        if not self.divisible:
            raise TrainingError(
                f"out of memory: this loss needs all {n_items} items of a batch at once. Lower batch_size, set "
                "`checkpointing: true` in the recipe, or freeze more (--freeze first:K)"
            )
        if self.n_parts * self.smallest >= n_items:
            at_a_time = counted(max(1, n_items // self.n_parts), "items")
            raise TrainingError(
                f"out of memory with {at_a_time} at a time. Freeze more (--freeze "
                "first:K), set `checkpointing: true` in the recipe, or use a smaller source"
            )
        if self.sharing.n > 1:
            raise TrainingError(
                f"out of memory: process {self.sharing.number} of {self.sharing.n}, with "
                f"{counted(n_items, 'items')} in a batch. Set `accumulate: {2 * self.n_parts}` in the recipe, and "
                "resume with --resume"
            )
        self.n_parts *= 2
        free()
        say(
            f"out of memory: from here on a batch is computed in {self.n_parts} parts; "
            "the steps see the same items as before"
        )


def smallest_batch(freeze: Freeze, objective: Objective, n_processes: int) -> int:
    """Smallest number of items in a batch: batch normalisation needs two items, and one per process."""
    batch_norm = nn.modules.batchnorm._BatchNorm
    own = any(isinstance(module, batch_norm) for module in objective.modules())
    return max(2, n_processes) if own or freeze.normalises_over_batches() else 1


def clip_gradients(parameters: Sequence[nn.Parameter], limit: float) -> None:
    """Scale gradients so that their norm together is at most a limit; bit for bit as PyTorch's `clip_grad_norm_`.

    On a CPU they are not touched if the norm is below the limit, since it is known at once there; PyTorch
    multiplies them by 1, which is another pass over every trained parameter.

    Args:
        parameters: those without a gradient are ignored.
        limit: of the norm.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if norm.device.type != "cpu" or not limit / (norm + 1e-6) >= 1:  # NaN is clipped too
        nn.utils.clip_grads_with_norm_(parameters, limit, norm)
