"""The head a training starts from: the linear probe on the network's own embedding, or a random one.

Starting from a fitted probe avoids that the first steps distort the features through a random head (LP-FT;
Kumar et al. 2022, "Fine-tuning can distort pretrained features"). Plain fine-tuning starts from a random one.

Legend: N items, D features, C outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart.backbone import Backbone
from headstart.heads.linear import LinearHead
from headstart.heads.logistic import fit_logistic
from headstart.heads.reduce import reduce, standardiser
from headstart.heads.ridge import fit_ridge
from headstart.tasks import CLASSIFICATION, Targets, Task
from headstart.tune.feeds.feed import Labelled, Machine, embed_all
from headstart.tune.feeds.part import Part
from headstart.tune.objectives.validation import score
from headstart.tune.policies.freeze import Freeze

Vectors = NDArray[np.float32]

_PENALTIES = (1.0, 0.1, 0.01, 0.001)
_PENALTY_WITHOUT_VALIDATION = 0.01
_ROUNDING = 0.01  # of the largest value


def serves(
    probe: LinearHead | None,
    *,
    last_stage: int,
    width: int,
    classes: tuple[str, ...],
    task: Task = CLASSIFICATION,
) -> bool:
    """Whether a probe reads the embedding that will be trained: only the last stage, of that width."""
    return (
        probe is not None
        and probe.stages == (last_stage,)
        and len(probe.mean) == width
        and probe.classes == classes
        and probe.task == task
    )


@dataclass(frozen=True, eq=False)
class FirstHead:
    """Finds the head that a training starts from.

    Attributes:
        backbone: the network, with its present weights.
        freeze: of its modes.
        machine: where it runs.
        classes: names of the C outputs.
        task: what is learned.
    """

    backbone: Backbone
    freeze: Freeze
    machine: Machine
    classes: tuple[str, ...]
    task: Task

    def head(
        self,
        probe: LinearHead | None,
        inputs: Mapping[str, Tensor],
        train: Labelled,
        validation: Labelled | None,
        parts: tuple[Part, Part | None],
    ) -> LinearHead:
        """The probe, if it reads the embedding that will be trained, else a head fitted to that embedding.

        Args:
            probe: in the unit of the training; None: there is none.
            inputs: of the first few training items.
            train: what is learned from.
            validation: what the penalty is chosen on.
            parts: of both, their vectors are used if they equal the network's embeddings.
        """
        self.freeze.train(False)
        with torch.no_grad():
            few_ND = self.backbone(inputs).float().cpu().numpy()
        last, width = len(self.backbone.stages) - 1, few_ND.shape[1]
        if probe is not None and serves(
            probe, last_stage=last, width=width, classes=self.classes, task=self.task
        ):
            return steadied(probe)
        return self.fitted(train, validation, _known(parts, few_ND))

    def fitted(
        self,
        train: Labelled,
        validation: Labelled | None,
        vectors: tuple[Vectors | None, Vectors | None] = (None, None),
    ) -> LinearHead:
        """A head fitted to embeddings: to the given ones of both parts, else to the present ones."""
        self.freeze.train(False)

        def embedded(part: Labelled, given: Vectors | None) -> Vectors:
            return embed_all(self.backbone, part.feed, self.machine) if given is None else given

        held_out = None
        if validation is not None:
            held_out = (embedded(validation, vectors[1]), validation.labels, validation.weights)
        last = len(self.backbone.stages) - 1
        x_ND = embedded(train, vectors[0])
        return steadied(
            fit_first_head(x_ND, train.labels, self.classes, last, held_out, self.task, train.weights)
        )


def are_alike(vectors_ND: NDArray[np.floating], others_ND: NDArray[np.floating]) -> bool:
    """Whether vectors are equal within rounding, including that of bf16 over the stages of a network."""
    if vectors_ND.shape != others_ND.shape:
        return False
    return bool(np.abs(vectors_ND - others_ND).max() <= _ROUNDING * np.abs(others_ND).max())


def fit_first_head(
    embeddings_ND: NDArray[np.floating],
    targets: NDArray[Any],
    classes: tuple[str, ...],
    last_stage: int,
    validation: tuple[NDArray[np.floating], NDArray[Any], NDArray[np.floating] | None] | None,
    task: Task = CLASSIFICATION,
    weights: NDArray[np.floating] | None = None,
) -> LinearHead:
    """Fit a probe to embeddings (logistic, or ridge for a quantity), its penalty by validation if there is one.

    Args:
        embeddings_ND: of the training items, of shape (N, D).
        targets: of these items: class indices of shape (N,), 0 and 1 of shape (N, C), or values (N, 1).
        classes: names of the C outputs.
        last_stage: index of the stage the embedding belongs to.
        validation: embeddings, targets and weights of the validation items.
        task: what is learned.
        weights: of the training items, of shape (N,), of mean 1; None: all the same.
    """
    reduced = reduce(embeddings_ND, standardiser(embeddings_ND))
    best: tuple[float, LinearHead] | None = None
    penalties = _PENALTIES if validation is not None else (_PENALTY_WITHOUT_VALIDATION,)
    found: tuple[NDArray[Any], NDArray[Any]] | None = None
    for penalty in penalties:
        if not task.has_classes:
            values = targets.astype(np.float64)
            found = fit_ridge(reduced.z, values, penalty * len(reduced.z), weights)
        else:
            found = fit_logistic(
                reduced.z, targets, len(classes), penalty, weights_N=weights, start=found, tolerance=1e-4
            )
        head = LinearHead.on_rotated(reduced, found[0], found[1], (last_stage,), 1.0, Targets(task, classes))
        loss = 0.0
        if validation is not None:
            loss = score(head.logits(validation[0]), validation[1], task, validation[2]).loss
        if best is None or loss < best[0]:
            best = (loss, head)
    assert best is not None  # there is at least one penalty
    return best[1]


def random_head(fitted: LinearHead, seed: int) -> LinearHead:
    """A head with the scaling of a fitted one and random weights of standard deviation 1 / sqrt(D).

    Args:
        fitted: gives features, scaling and outputs.
        seed: of the weights.
    """
    n_outputs, width = fitted.weight.shape
    weight = np.random.default_rng([seed, 2]).normal(0.0, width**-0.5, (n_outputs, width))
    return replace(fitted, weight=weight.astype(np.float32), bias=np.zeros_like(fitted.bias))


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
    return replace(head, mean=mean, scale=scale, weight=weight)


def steadied(head: LinearHead) -> LinearHead:
    """A head without the features that hardly vary, so that training from it is stable.

    A feature that is nearly constant (MiniLM has one) gets an inverse scale of up to 1e9, and so a gradient
    that is far larger than all others once the stages before it train. Features whose scale is below a hundredth
    of the median get weight 0; they are centred, so the bias stays as it is.
    """
    typical = float(np.median(head.scale))
    dead = head.scale < 0.01 * typical
    if not dead.any():
        return head
    weight, scale = head.weight.copy(), head.scale.copy()
    weight[:, dead], scale[dead] = 0.0, typical
    return replace(head, weight=weight, scale=scale)


def _known(
    parts: tuple[Part, Part | None], few_ND: NDArray[np.float32]
) -> tuple[Vectors | None, Vectors | None]:
    """The stored vectors of parts, if those of the first few training items equal the given embeddings."""
    train, validation = parts
    if train.vectors is None or not are_alike(train.vectors(np.arange(len(few_ND))), few_ND):
        return None, None
    of_train = train.vectors(np.arange(len(train.items)))
    if validation is None or validation.vectors is None:
        return of_train, None
    return of_train, validation.vectors(np.arange(len(validation.items)))
