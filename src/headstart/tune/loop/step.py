"""One optimizer step: a batch in parts, the loss, the pull to the start, clipping, the moving average.

When the device runs out of memory the batch is worked off in twice as many parts: the same items, the same
step, less at a time. In several processes each takes its share of the batch, and the gradients are those of
the whole batch.

Legend: N items, D features, C classes or outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.errors import TrainingError
from headstart.heads.linear import LinearHeadModule
from headstart.memory import free, is_out_of_memory
from headstart.progress import say
from headstart.tune.feeds.feed import Feed, Machine, autocast, rows_of
from headstart.tune.feeds.mixing import mix
from headstart.tune.loop.schedule import Positions
from headstart.tune.loop.sharing import Sharing
from headstart.tune.objectives.supervised import l2_sp
from headstart.tune.recipes.recipe import Recipe


class ItemLosses(Protocol):
    """What training minimises the mean of."""

    def item_losses(self, embedding_ND: Tensor, head: LinearHeadModule, targets: Tensor, /) -> Tensor:
        """The loss of each item of a batch, of shape (N,)."""
        ...


class LossModule(nn.Module):
    """All that runs in a step as one module, so that it can be run in several processes.

    Args:
        backbone: the staged network.
        head: the head.
        feed: which knows how its inputs go through the backbone.
        objective: gives the losses.
        machine: device and precision.
    """

    def __init__(
        self, backbone: Any, head: LinearHeadModule, feed: Feed, objective: ItemLosses, machine: Machine
    ) -> None:
        super().__init__()
        self.network, self.head = backbone.module, head
        self._backbone, self._feed, self._objective, self._machine = backbone, feed, objective, machine

    def forward(self, inputs: Any, targets: Tensor) -> Tensor:
        """The loss of each item, of shape (N,)."""
        with autocast(self._machine):
            embedding_ND = self._feed.embed(self._backbone, inputs, self._machine.device)
        return self._objective.item_losses(embedding_ND.float(), self.head, targets)


class Step:
    """Takes optimizer steps.

    Args:
        module: gives the losses; wrapped for several processes where there are some.
        optimizer: over the trained parameters.
        targets: of all training items, by position, on the device.
        recipe: the settings.
        seed: the run's seed.
        sharing: of each batch between processes.
        smallest: least number of items in a part.
        divisible: whether the loss of a batch is the sum over its parts; of pairs it is not.
        network_parameters: the trained parameters of the network, by name, at each step.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        targets: Tensor,
        recipe: Recipe,
        *,
        seed: int,
        n_classes: int,
        sharing: Sharing,
        smallest: int,
        divisible: bool,
        network_parameters: Callable[[], Mapping[str, nn.Parameter]],
    ) -> None:
        self.module, self.optimizer, self.targets, self.recipe = module, optimizer, targets, recipe
        self.seed, self.n_classes, self.sharing, self.smallest = seed, n_classes, sharing, smallest
        self.divisible = divisible
        self.n_parts = recipe.accumulate
        self._backward, self._network_parameters = sharing.accelerator.backward, network_parameters
        self._anchors = (
            {name: p.detach().clone() for name, p in network_parameters().items()} if recipe.l2_sp else {}
        )

    def keep_anchors(self) -> None:
        """Add the parameters that begin to train now to what `l2_sp` pulls towards."""
        if self.recipe.l2_sp:
            for name, parameter in self._network_parameters().items():
                self._anchors.setdefault(name, parameter.detach().clone())

    def __call__(self, positions: Positions, inputs: Any, *, epoch: int, step: int, n_items: int) -> Tensor:
        """Take a step; the mean loss of the batch, or this process's share of it, without the pull to the start.

        Args:
            positions: of this process's items of the batch; of the whole batch, and its share is taken here.
            inputs: of these items.
            epoch: counted from 1.
            step: within the epoch.
            n_items: of the whole batch, over all processes.
        """
        loss = self.gradients(positions, inputs, epoch=epoch, step=step, n_items=n_items)
        if self.recipe.clip_norm is not None:
            parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
            clip_gradients(parameters, self.recipe.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss

    def gradients(self, positions: Positions, inputs: Any, *, epoch: int, step: int, n_items: int) -> Tensor:
        """Compute the gradients of a batch in parts, in more of them where memory does not do."""
        while True:
            try:
                return self._in_parts(positions, inputs, epoch, step, n_items)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            self._take_more_parts(n_items)  # out here, where the failed part's tensors are let go

    def _in_parts(self, positions: Positions, inputs: Any, epoch: int, step: int, n_items: int) -> Tensor:
        sharing, weight = self.sharing, 1.0
        if sharing.n > 1 and len(positions) == n_items:
            weight = float(
                n_items > sharing.number
            )  # one runs where there is none of its own: it does not count
            own = slice(sharing.number, None, sharing.n) if weight else slice(0, 1)
            positions, inputs = positions[own], rows_of(inputs, own, n_items)
        if sharing.norms is not None:
            sharing.norms.counts = bool(weight)
        targets = self.targets[torch.from_numpy(positions)]
        if self.recipe.mixup or self.recipe.cutmix:
            if not targets.is_floating_point():
                targets = functional.one_hot(targets, self.n_classes).float()
            inputs, targets = mix(inputs, targets, recipe=self.recipe, seed=self.seed, epoch=epoch, step=step)
        total = torch.zeros((), device=targets.device)
        # as many in every process, by what the one with the fewest items can do
        n_parts = max(1, min(self.n_parts, n_items // sharing.n // self.smallest))
        for rows in np.array_split(np.arange(len(positions)), n_parts):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            last = part.stop == len(positions)
            with nullcontext() if last else sharing.accelerator.no_sync(self.module):
                losses = self.module(rows_of(inputs, part, len(positions)), targets[part])
                share = weight * losses.sum() / n_items
                total += share.detach()
                self._backward(share * sharing.n)  # over processes gradients are averaged
        if self.recipe.l2_sp:
            self._backward(l2_sp(self._network_parameters(), self._anchors, self.recipe.l2_sp))
        return total

    def _take_more_parts(self, n_items: int) -> None:
        """Double the parts.

        Raises:
            TrainingError: a part is as small as it can be already, or other processes wait for this one.
        """
        self.optimizer.zero_grad()
        if not self.divisible:
            raise TrainingError(
                f"the device has no memory left for the pairs of {n_items} items, which are of a whole batch. Lower "
                "batch_size, set `checkpointing: true` in the recipe, or freeze more (--freeze first:K)"
            )
        if self.n_parts * self.smallest >= n_items:
            raise TrainingError(
                f"the device has no memory left for {max(1, n_items // self.n_parts)} item(s) at a time. Freeze "
                "more (--freeze first:K), set `checkpointing: true` in the recipe, or take a smaller source"
            )
        if self.sharing.n > 1:
            raise TrainingError(
                f"process {self.sharing.number} of {self.sharing.n} has no memory left for its {n_items} item(s) of "
                f"a batch. Set `accumulate: {2 * self.n_parts}` in the recipe, and go on with --resume"
            )
        self.n_parts *= 2
        free()
        say(
            f"out of memory: a batch is worked off in {self.n_parts} parts from here on; "
            "the steps see the same items as before"
        )


def clip_gradients(parameters: Sequence[nn.Parameter], limit: float) -> None:
    """Scale gradients so that their norm together is at most a limit, to the bit as PyTorch's `clip_grad_norm_`.

    On a CPU they are left alone where the norm is below the limit, which there is known at once; PyTorch
    multiplies them by 1, another pass over all that trains.

    Args:
        parameters: those without a gradient are passed over.
        limit: of the norm.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if norm.device.type != "cpu" or not limit / (norm + 1e-6) >= 1:  # what is not a number is clipped too
        nn.utils.clip_grads_with_norm_(parameters, limit, norm)
