"""From a linear head's scores to what it says, task by task, and how far that is off for each item.

    classification   softmax(scores / T)            -log p(class)
    multilabel       sigmoid(scores / T) a label    mean over the labels of -log p(as it is)
    regression       the scores themselves          (value - truth)^2

`item_quality` puts the tasks on one footing: right or wrong for classes; else how much of the loss of a constant
answer is saved, 1 - loss / mean loss of the constant. Its mean is the accuracy, the explained share of the log
loss, or R2; it is larger for better results and is a mean over items, so that paired errors are those of a mean.

Legend: N items, C outputs.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart.data.targets import Task

Float = NDArray[np.float64]
FLOOR = 1e-12
QUALITY: dict[Task, str] = {
    "classification": "accuracy",
    "multilabel": "explained_log_loss",
    "regression": "r2",
}  # what the mean of `item_quality` is called


def quality_name(task: Task, *, balanced: bool = False) -> str:
    """What the mean of `item_quality` is called; `balanced`: with every class counting the same."""
    return "balanced_accuracy" if balanced and task == "classification" else QUALITY[task]


def softmax(logits_NC: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the softmax of each row, float32; safe for large logits."""
    shifted = logits_NC - logits_NC.max(axis=1, keepdims=True)
    exponents = np.exp(shifted.astype(np.float64))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float32)


def sigmoid(logits_NC: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the logistic function of each score, float32; safe for large ones."""
    from scipy.special import expit

    return np.asarray(expit(logits_NC.astype(np.float64)), dtype=np.float32)


def activated(task: Task, scores_NC: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float32]:
    """Return probabilities, or values for a quantity, of shape (N, C), float32."""
    if task == "classification":
        return softmax(scores_NC / temperature)
    if task == "multilabel":
        return sigmoid(scores_NC / temperature)
    return np.asarray(scores_NC, dtype=np.float32)


def activated_tensor(task: Task, scores_NC: Tensor, temperature: Tensor | float) -> Tensor:
    """Return the same of a tensor."""
    if task == "classification":
        return torch.softmax(scores_NC / temperature, dim=1)
    if task == "multilabel":
        return torch.sigmoid(scores_NC / temperature)
    return scores_NC


def item_losses(task: Task, outputs_NC: NDArray[np.floating], targets: NDArray[np.generic]) -> Float:
    """Return the loss of each item, of shape (N,); a probability of 0 counts as 1e-12.

    Args:
        task: what is learned.
        outputs_NC: probabilities or values, of shape (N, C).
        targets: class numbers of shape (N,), 0 and 1 of shape (N, C), or values of shape (N, 1).
    """
    outputs = np.asarray(outputs_NC, dtype=np.float64)
    if task == "classification":
        own = outputs[np.arange(len(targets)), targets.astype(np.intp)]
        return np.asarray(-np.log(np.clip(own, FLOOR, 1.0)))
    truth = np.asarray(targets, dtype=np.float64)
    if task == "regression":
        return np.asarray(np.square(outputs - truth).mean(axis=1))
    as_it_is = np.where(truth > 0.5, outputs, 1.0 - outputs)
    return np.asarray(-np.log(np.clip(as_it_is, FLOOR, 1.0)).mean(axis=1))


def constant(task: Task, targets: NDArray[np.generic], n_outputs: int) -> Float:
    """Return the best answer that looks at nothing, of shape (C,): shares of classes or labels, or the mean."""
    if task == "classification":
        return np.bincount(targets.astype(np.intp), minlength=n_outputs) / max(1, len(targets))
    return np.asarray(targets.astype(np.float64).mean(axis=0))


def unscaled(
    task: Task, probabilities_NC: NDArray[np.floating], temperature: NDArray[np.floating] | float
) -> NDArray[np.float32]:
    """Return what the probabilities were before the scores were divided by a temperature, of shape (N, C), float32.

    Args:
        task: classes or labels.
        probabilities_NC: after it, of shape (N, C); one below 1e-12 counts as that.
        temperature: of all items, or of shape (N, 1).
    """
    p_NC = np.clip(probabilities_NC.astype(np.float64), FLOOR, None)
    if task == "classification":
        return softmax(np.log(p_NC) * temperature)
    return sigmoid((np.log(p_NC) - np.log(np.clip(1 - p_NC, FLOOR, None))) * temperature)


def item_quality(task: Task, outputs_NC: NDArray[np.floating], targets: NDArray[np.generic]) -> Float:
    """Return how good the answer is for each item, of shape (N,); see the top of the module.

    Args:
        task: what is learned.
        outputs_NC: probabilities (for classes: any scores in their order) or values, of shape (N, C).
        targets: as of `item_losses`.
    """
    if task == "classification":
        return np.asarray(outputs_NC.argmax(axis=1) == targets, dtype=np.float64)
    plain = np.tile(constant(task, targets, outputs_NC.shape[1]), (len(targets), 1))
    without = float(item_losses(task, plain, targets).mean())
    return np.asarray(1.0 - item_losses(task, outputs_NC, targets) / max(without, 1e-30))
