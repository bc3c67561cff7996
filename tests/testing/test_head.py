"""Every kind of head passes its suite, and the suite fails where a head is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gaussian_head import GAUSSIAN
from headstart.choose.kinds import KINDS, RIDGE, HeadKind
from headstart.heads.linear import LinearHead
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, Task
from headstart.testing import check_head, check_head_kind

X = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_passes(kind: HeadKind) -> None:
    heads = check_head_kind(kind)
    assert set(heads) >= {"classification", "multilabel"}
    assert all(head.stages == (0, 1) for head in heads.values())


def test_a_kind_that_is_not_linear_passes() -> None:
    (head,) = check_head_kind(GAUSSIAN).values()
    assert head.folded() is None


def linear(task: Task, **changes: Any) -> LinearHead:
    random = np.random.default_rng(1)
    n_outputs = 3 if task.has_classes else 1
    head = LinearHead(
        (0, 2),
        random.normal(size=4).astype(np.float32),
        np.array([1, 2, 0.5, 3], np.float32),
        random.normal(size=(n_outputs, 4)).astype(np.float32),
        random.normal(size=n_outputs).astype(np.float32),
        1.7 if task.has_classes else 1.0,
        tuple("abc"[:n_outputs]),
        task,
    )
    return replace(head, **changes)


@pytest.mark.parametrize("task", [CLASSIFICATION, MULTILABEL, REGRESSION], ids=str)
def test_a_linear_head_passes_for_every_task(task: Task) -> None:
    check_head(linear(task), X)


class WithoutTemperature(nn.Module):
    def __init__(self, head: LinearHead) -> None:
        super().__init__()
        self.inner, self.task = LinearHead.module(head), head.task

    def forward(self, x_ND: Tensor) -> Tensor:
        return self.task.activated_tensor(self.inner.logits(x_ND))


def off_by(change: float) -> Callable[[LinearHead, Any], Any]:
    return lambda head, features: (LinearHead.outputs(head, features) + change).astype(np.float32)


def by_batch(head: LinearHead, features: Any) -> Any:
    return LinearHead.logits(head, features - features.mean(axis=0)) if len(features) else np.zeros((0, 3))


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "sum": ({"outputs": off_by(1e-3)}, "the sum of the probabilities: differs by 0.003"),
    "double": ({"logits": lambda h, x: LinearHead.logits(h, x).astype(float)}, "logits: float64"),
    "predict": ({"predict": lambda h, x: np.array(["a"] * len(x))}, "predict is not what the outputs decode"),
    "module": (
        {"module": lambda head: WithoutTemperature(head)},
        r"module\(\), against outputs in numpy: differs by",
    ),
    "by batch": ({"logits": by_batch}, "outputs of an item alone"),
    "no tensors": ({"tensors": lambda head: {}}, r"tensors\(\) is empty"),
    "folded": (
        {"folded": lambda h: LinearHead.folded(replace(h, temperature=1.0))},
        r"folded\(\), against outputs",
    ),
    "cold": ({"outputs": lambda h, x: CLASSIFICATION.activated(h.logits(x))}, "divided by the temperature"),
    "width": ({"n_features": property(lambda head: 5)}, "n_features is 5, not 4"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_with_a_head_is_named(fault: str) -> None:
    changes, message = FAULTS[fault]
    kind = dataclass(frozen=True, eq=False)(type("Wrong", (LinearHead,), changes))
    head = linear(CLASSIFICATION)
    wrong = kind(**{name: getattr(head, name) for name in head.__dataclass_fields__})
    with pytest.raises(AssertionError, match=message):
        check_head(wrong, X)


def scored_on_what_it_was_fitted_to(reduced: Any, trial: Any, stages: Any) -> Any:
    """A nearest neighbour that finds the item itself."""
    if not trial.task.one_per_item:
        return None
    own = 9 * np.eye(trial.n_outputs, dtype=np.float32)[trial.targets]
    return trial.scored("ridge", stages, 1.0, own)


def test_scores_must_be_out_of_fold() -> None:
    kind = HeadKind("ridge", scored_on_what_it_was_fitted_to, RIDGE.fit, RIDGE.fit_streamed)
    with pytest.raises(AssertionError, match=r"with labels at random the quality is .* without its fold"):
        check_head_kind(kind)


def with_temperature_one(*fit: Any) -> Any:
    return replace(RIDGE.fit(*fit), temperature=1.0)


def streamed_elsewhere(candidate: Any, *fit: Any) -> Any:
    return RIDGE.fit_streamed(replace(candidate, penalty=30 * candidate.penalty + 1), *fit)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"score": lambda *asked: None}, "returned None for every task"),
        ({"name": "crest"}, "of kind 'ridge', not 'crest'"),
        ({"fit": with_temperature_one}, "the temperature is 1.0, that of the tried head is"),
        ({"fit_streamed": streamed_elsewhere}, "fit_streamed on the items of fit: differs by"),
        (
            {"fit_streamed": lambda c, r, rows, *rest: RIDGE.fit_streamed(c, r, rows[[0, 1]], *rest)},
            "by slices of rows",
        ),
    ],
)
def test_what_is_wrong_with_a_kind_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_head_kind(replace(RIDGE, **changes))


def test_a_module_that_cannot_be_exported_is_refused() -> None:
    class Looping(nn.Module):
        def __init__(self, head: LinearHead) -> None:
            super().__init__()
            self.inner = LinearHead.module(head)

        def forward(self, x_ND: Tensor) -> Tensor:
            return torch.stack([self.inner(row[None])[0] for row in x_ND])

    class Head(LinearHead):
        def module(self) -> nn.Module:
            return Looping(self)

    def fit(*asked: Any) -> Any:
        head = RIDGE.fit(*asked)
        return Head(**{name: getattr(head, name) for name in head.__dataclass_fields__})

    with pytest.raises(AssertionError, match=r"classification: .* cannot be written to model\.pt2"):
        check_head_kind(replace(RIDGE, fit=fit))
