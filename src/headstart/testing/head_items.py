"""Small pictures whose pooled features tell what is to be learned, for the checks of heads.

Legend: N items, C outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.backbone import Backbone
from headstart.choose.tried_head import Trial
from headstart.heads.reduce import Reduced, combine, reduce, standardiser
from headstart.tasks import Targets, Task

N_ITEMS, N_FOLDS = 90, 5


class _Network(nn.Module):
    """Two stages, of 7 and 5 features."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 7, 1), nn.Conv2d(7, 5, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        embedding: Tensor = self.second(self.first(pixels).tanh()).mean(dim=(2, 3))
        return embedding


@dataclass(frozen=True, eq=False)
class HeadItems:
    """Pictures whose pooled features at each stage tell what is to be learned.

    Attributes:
        task: what is learned.
        backbone: of two stages.
        pixels: of shape (N, 3, 8, 8).
        targets: the task with its names.
        encoded: targets of the items.
    """

    task: Task
    backbone: Backbone
    pixels: Tensor
    targets: Targets
    encoded: NDArray[Any]

    @classmethod
    def of(cls, task: Task) -> HeadItems:
        """Make them for a task."""
        generator = torch.Generator().manual_seed(0)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = _Network().eval()
        colour = torch.randn(N_ITEMS, 3, 1, 1, generator=generator)
        pixels = colour + 0.3 * torch.randn(N_ITEMS, 3, 8, 8, generator=generator)
        colour_N3 = colour[:, :, 0, 0].numpy()
        if task.one_per_item:
            labels = [f"c{index}" for index in colour_N3.argmax(axis=1)]
        elif task.many_per_item:
            labels = ["|".join(f"c{c}" for c in np.flatnonzero(row > 0)) or "-" for row in colour_N3]
        else:
            labels = [str(20 + 3 * row[0] - row[1]) for row in colour_N3]
        targets = Targets(task, task.output_names(labels, "value"))
        return cls(task, Backbone(network, ["first", "second"]), pixels, targets, targets.encode(labels))

    @cached_property
    def pooled(self) -> list[NDArray[np.float32]]:
        """The features of each stage."""
        with torch.no_grad():
            return [vectors.numpy() for vectors in self.backbone.pooled(self.pixels)]

    @property
    def shuffled(self) -> NDArray[Any]:
        """The targets of other items."""
        return np.asarray(self.encoded[np.random.default_rng(1).permutation(N_ITEMS)])

    @property
    def constant_quality(self) -> float:
        """The quality of the best constant answer."""
        constant = self.task.constant(self.encoded, self.targets.n_outputs)
        return self.quality(np.tile(constant, (N_ITEMS, 1)))

    def quality(self, outputs: NDArray[np.floating]) -> float:
        """The mean quality of outputs."""
        return float(self.task.item_quality(outputs, self.encoded).mean())

    def features(self, stages: tuple[int, ...]) -> NDArray[np.float32]:
        """Features of some stages side by side."""
        return np.concatenate([self.pooled[index] for index in stages], axis=1)

    def reduced(self, stages: tuple[int, ...]) -> Reduced:
        """The rotated features of some stages."""
        parts = [reduce(self.pooled[index], standardiser(self.pooled[index])) for index in stages]
        return parts[0] if len(parts) == 1 else combine(parts, n_columns=1024)

    def trial(self, encoded: NDArray[Any]) -> Trial:
        """What a head is scored on."""
        folds = np.random.default_rng(0).permutation(np.arange(N_ITEMS) % N_FOLDS)
        return Trial(self.task, encoded, self.targets.n_outputs, folds, None)
