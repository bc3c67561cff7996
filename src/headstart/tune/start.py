"""The head a training starts from: the linear probe on the network's own embedding.

Starting from a fitted probe keeps the first steps from distorting the features through a head of chance
(LP-FT; Kumar et al. 2022, "Fine-tuning can distort pretrained features").

Legend: N items, D features, C classes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart.heads.linear import LinearHead
from headstart.heads.logistic import fit_logistic
from headstart.heads.reduce import reduce, standardiser
from headstart.tune.result import score

_PENALTIES = (1.0, 0.1, 0.01, 0.001)
_PENALTY_WITHOUT_VALIDATION = 0.01


def serves(probe: LinearHead | None, *, last_stage: int, width: int, classes: tuple[str, ...]) -> bool:
    """Whether a probe reads the embedding that will be trained: the last stage alone, of that width."""
    return (
        probe is not None
        and probe.stages == (last_stage,)
        and len(probe.mean) == width
        and probe.classes == classes
    )


def fit_start(
    embeddings_ND: NDArray[np.floating],
    labels_N: NDArray[np.integer],
    classes: tuple[str, ...],
    last_stage: int,
    validation: tuple[NDArray[np.floating], NDArray[np.integer]] | None,
) -> LinearHead:
    """Fit a logistic probe to embeddings, its penalty by validation where there is one.

    Args:
        embeddings_ND: of the training items, of shape (N, D).
        labels_N: their class indices, of shape (N,).
        classes: names of the C classes.
        last_stage: index of the stage the embedding belongs to.
        validation: embeddings and class indices of the validation items.
    """
    scaling = standardiser(embeddings_ND)
    reduced = reduce(embeddings_ND, scaling)
    best: tuple[float, LinearHead] | None = None
    penalties = _PENALTIES if validation is not None else (_PENALTY_WITHOUT_VALIDATION,)
    start = None
    for penalty in penalties:
        start = fit_logistic(reduced.z, labels_N, len(classes), penalty, start=start, tolerance=1e-4)
        head = LinearHead(
            stages=(last_stage,),
            mean=scaling.mean,
            scale=scaling.scale,
            weight=reduced.weights(start[0]),
            bias=start[1],
            temperature=1.0,
            classes=classes,
        )
        loss = 0.0
        if validation is not None:
            loss = score(head.logits(validation[0]), validation[1]).log_loss
        if best is None or loss < best[0]:
            best = (loss, head)
    assert best is not None  # there is at least one penalty
    return best[1]


def widened(head: LinearHead, width: int, *, leading: bool) -> LinearHead:
    """A head on the embedding as a head on a longer vector that holds the embedding at one end.

    Args:
        head: on the embedding, of width D.
        width: of the vector.
        leading: whether the embedding comes first in it; else last.
    """
    own = len(head.mean)
    if own == width:
        return head
    place = slice(0, own) if leading else slice(width - own, width)
    mean, scale = np.zeros(width, np.float32), np.ones(width, np.float32)
    weight = np.zeros((len(head.classes), width), np.float32)
    mean[place], scale[place], weight[:, place] = head.mean, head.scale, head.weight
    return LinearHead(head.stages, mean, scale, weight, head.bias, head.temperature, head.classes)


def steadied(head: LinearHead) -> LinearHead:
    """A head without the features that hardly vary, so that training from it is stable.

    A feature that is all but constant (MiniLM has one) gets an inverse scale of up to 1e9, and with it a
    gradient that drowns all others once the stages before it train. Features whose scale is below a hundredth
    of the median get weight 0; they are centred, so the bias stays as it is.
    """
    typical = float(np.median(head.scale))
    dead = head.scale < 0.01 * typical
    if not dead.any():
        return head
    weight, scale = head.weight.copy(), head.scale.copy()
    weight[:, dead], scale[dead] = 0.0, typical
    return replace(head, weight=weight, scale=scale)
