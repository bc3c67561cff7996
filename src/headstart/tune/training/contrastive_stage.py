"""The class-contrastive stage as a training of its own: a fixed number of steps, before the head is fitted.

It is a Loop with another objective and other batches, so it is checkpointed and goes on as any training does.
Dropout and the statistics of normalisation rest: a handful of items says little about either, and without
noise as few steps give more (trec, 8 labels a class: 78.2% against 76.7%).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.heads.linear import LinearHead, LinearHeadModule
from headstart.tune.feeds.feed import Labelled, LiveFeed, Machine
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.schedule import Positions
from headstart.tune.objectives.contrastive import Contrastive, MixedFeed, class_batches, pair_classes
from headstart.tune.policies.freeze import Freeze
from headstart.tune.recipes.recipe import Recipe

_NOT_OF_PAIRS: dict[str, Any] = {  # what is about items one by one, or about the training that follows
    "epochs": 1,
    "accumulate": 1,  # pairs are of a whole batch
    "sampling": "natural",
    "mixup": 0.0,
    "cutmix": 0.0,
    "ema": None,
    "wise_ft": False,
}


class ContrastiveStage(Loop):
    """Train the free stages of a backbone on pairs, for the `contrastive` steps of a recipe.

    Args:
        backbone: the staged network, on the device; trained in place.
        freeze: the owner of what is frozen in the backbone.
        train: what is learned from: classes, or labels.
        recipe: its `contrastive` steps, rates, schedule and batch size are used.
        options: `seed`, `machine`, `folder` and `identity` of the loop.

    Raises:
        OptionError: the targets are numbers.
    """

    def __init__(
        self, backbone: Any, freeze: Freeze, train: Labelled, recipe: Recipe, **options: Any
    ) -> None:
        self._classes = pair_classes(train.labels)
        mixed = MixedFeed(train.feed, pads=isinstance(train.feed, LiveFeed))
        machine = options.get("machine") or Machine()
        super().__init__(
            backbone,
            LinearHeadModule(_no_head()).to(machine.device),
            freeze,
            Labelled(mixed, train.labels),
            None,
            recipe.model_copy(update={**_NOT_OF_PAIRS, "steps": recipe.contrastive}),
            objective=Contrastive(),
            **options,
        )

    keeps_its_end = False  # it takes seconds, and so does writing all weights and the optimizer's state

    def plan(self, epoch: int) -> list[Positions]:
        """The batches of an epoch, each with items of every class as far as there are enough."""
        plan = class_batches(self._classes, self.recipe.batch_size, seed=self.seed, epoch=epoch)
        plan = [batch for batch in plan if len(batch) >= self._smallest]
        return plan[: self.recipe.contrastive - (epoch - 1) * len(plan)]

    def set_modes(self) -> None:
        """Everything in eval mode; gradients flow all the same."""
        self.freeze.train(False)
        self.head.eval()


def contrast(loop: Loop, recipe: Recipe, *, resume: bool) -> ContrastiveStage:
    """Run the stage before a loop, whose start is then what the stage ended with; its head is not fitted yet.

    Args:
        loop: which has not begun; its backbone is trained in place.
        recipe: the settings of both.
        resume: go on from the newest whole checkpoint in `contrastive` in the loop's folder.

    Returns:
        The stage, finished.
    """
    stage = ContrastiveStage(
        loop.backbone,
        loop.freeze,
        loop.train,
        recipe,
        seed=loop.seed,
        machine=loop.machine,
        folder=None if loop.folder is None else loop.folder / "contrastive",
        identity=loop.identity,
    )
    stage.run(resume=resume)
    return stage


def _no_head() -> LinearHead:
    """What stands in the loop's place for a head; it has no part in the loss, so it stays as it is."""
    nothing: NDArray[np.float32] = np.zeros(1, np.float32)
    return LinearHead((0,), nothing, nothing + 1, np.zeros((1, 1), np.float32), nothing, 1.0, ("none",))
