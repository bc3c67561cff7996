"""The linear head in numpy and in torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from headstart.errors import DataError
from headstart.heads import LinearHead
from headstart.tasks import CLASSIFICATION, MULTILABEL, OWN, REGRESSION, TargetScale, Task


def a_head(n_classes: int = 3, width: int = 5) -> LinearHead:
    rng = np.random.default_rng(0)
    return LinearHead(
        stages=(1,),
        mean=rng.normal(size=width).astype(np.float32),
        scale=rng.uniform(0.5, 2, size=width).astype(np.float32),
        weight=rng.normal(size=(n_classes, width)).astype(np.float32),
        bias=rng.normal(size=n_classes).astype(np.float32),
        temperature=1.7,
        classes=tuple("abc"[:n_classes]),
    )


def test_the_torch_module_gives_the_same_probabilities() -> None:
    head, x = a_head(), np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    module = head.module()
    assert np.allclose(module(torch.from_numpy(x)).detach().numpy(), head.probabilities(x), atol=1e-6)


def test_probabilities_are_the_softmax_of_logits_over_the_temperature() -> None:
    head, x = a_head(), np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    exponents = np.exp(head.logits(x) / 1.7)
    assert np.allclose(head.probabilities(x), exponents / exponents.sum(1, keepdims=True), atol=1e-6)
    assert (head.predict(x) == np.array(list("abc"))[head.logits(x).argmax(1)]).all()


def test_the_module_can_be_exported_with_any_number_of_items() -> None:
    module, x = a_head().module(), torch.zeros(4, 5)
    program = torch.export.export(module, (x,), dynamic_shapes=({0: torch.export.Dim("n")},))
    assert torch.allclose(program.module()(torch.ones(9, 5)), module(torch.ones(9, 5)))


def test_a_wrong_width_is_named() -> None:
    with pytest.raises(DataError, match=r"\(n_items, 5\), got \(2, 4\)"):
        a_head().logits(np.zeros((2, 4)))


@pytest.mark.parametrize("task", [CLASSIFICATION, MULTILABEL, REGRESSION])
def test_the_torch_form_says_the_same(task: Task) -> None:
    rng = np.random.default_rng(0)
    n_outputs = 1 if task == REGRESSION else 3
    head = LinearHead(
        (0,),
        rng.normal(size=5).astype(np.float32),
        np.ones(5, np.float32),
        rng.normal(size=(n_outputs, 5)).astype(np.float32),
        rng.normal(size=n_outputs).astype(np.float32),
        1.0 if task == REGRESSION else 1.7,
        tuple("abc"[:n_outputs]),
        task,
    )
    x = rng.normal(size=(9, 5)).astype(np.float32)
    assert np.allclose(head.module()(torch.from_numpy(x)).detach().numpy(), head.outputs(x), atol=1e-6)
    assert len(head.predict(x)) == 9
    moved = replace(head, unit=TargetScale(10.0, 3.0))
    assert np.allclose(moved.logits(x), 10 + 3 * head.logits(x), atol=1e-4)
    assert np.allclose(moved.scoring(OWN).logits(x), moved.logits(x), atol=1e-4)
    assert np.allclose(moved.scoring(TargetScale(10.0, 3.0)).logits(x), head.logits(x))
