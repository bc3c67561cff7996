"""A correction of a model's probabilities that a linear head can hold: one temperature, one bias per output.

    scores = log p (classes), or log p / (1 - p) (labels)
    corrected = softmax or sigmoid of scores / T + b

The scores are the head's logits / temperature, up to a constant that the softmax does not see. So the head with

    temperature' = temperature T,     bias' = bias + temperature T b

gives exactly the corrected probabilities.

Legend: N items, C outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.tasks import Task

if TYPE_CHECKING:
    from headstart.heads.linear import LinearHead

Float = NDArray[np.float64]
LEAST_SHARE = 1e-38  # the smallest probability of a class that float32 holds with all its digits
NEAREST_TO_ONE = 2.0**-24  # half the distance from 1 to the next smaller float32


@dataclass(frozen=True, eq=False)
class Correction:
    """What scores are divided by, and what is added then.

    Attributes:
        temperature: T above, larger than 0; above 1 the model is made less sure.
        bias_C: b above, of shape (C,), float64.
    """

    temperature: float
    bias_C: Float

    @classmethod
    def none(cls, n_outputs: int) -> Correction:
        """The correction that changes nothing.

        Args:
            n_outputs: C.
        """
        return cls(1.0, np.zeros(n_outputs))

    def scores(self, scores_NC: NDArray[np.floating]) -> Float:
        """Return corrected scores, of shape (N, C).

        Args:
            scores_NC: as `scores_of` gives them.
        """
        return np.asarray(scores_NC, dtype=np.float64) / self.temperature + self.bias_C

    def outputs(self, task: Task, scores_NC: NDArray[np.floating]) -> NDArray[Any]:
        """Return corrected probabilities, of shape (N, C), float32.

        Args:
            task: classes or labels.
            scores_NC: as `scores_of` gives them.
        """
        return task.activated(self.scores(scores_NC))

    def folded_into(self, head: LinearHead) -> LinearHead:
        """Return the head whose probabilities are the corrected ones of another.

        Args:
            head: of classes or labels, C of them.
        """
        temperature = float(head.temperature) * self.temperature
        bias = np.asarray(head.bias, dtype=np.float64) + temperature * self.bias_C
        return replace(head, temperature=temperature, bias=bias.astype(np.float32))


def scores_of(task: Task, outputs_NC: NDArray[np.floating]) -> Float:
    """Return log p of classes, or log p / (1 - p) of labels, of shape (N, C), float64; finite.

    Args:
        task: classes or labels.
        outputs_NC: probabilities.
    """
    p = np.asarray(outputs_NC, dtype=np.float64)
    if not task.many_per_item:
        return np.log(np.maximum(p, LEAST_SHARE))
    p = np.clip(p, LEAST_SHARE, 1 - NEAREST_TO_ONE)
    return np.asarray(np.log(p) - np.log1p(-p))


def clipped_share(task: Task, outputs_NC: NDArray[np.floating]) -> float:
    """Return the share of probabilities, from 0 to 1, whose scores `scores_of` clips.

    Of these a head's logits say more than its probabilities, so that the head with a correction folded in gives
    something else than the correction of the probabilities.

    Args:
        task: classes or labels.
        outputs_NC: probabilities, of shape (N, C).
    """
    p = np.asarray(outputs_NC, dtype=np.float64)
    clipped = p < LEAST_SHARE
    if task.many_per_item:
        clipped |= p > 1 - NEAREST_TO_ONE
    return float(clipped.mean())
