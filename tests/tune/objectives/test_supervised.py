"""Losses: against plain numpy and torch's own; classes that are missing, batches of one, dtypes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from headstart.errors import OptionError
from headstart.heads.linear import LinearHead, LinearHeadModule
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, Task
from headstart.tune.objectives.objective import StepContext
from headstart.tune.objectives.supervised import Supervised, balanced_weights
from headstart.tune.recipes.recipe import Recipe

N, C = 40, 4


def objective_of(task: Task, recipe: Recipe, targets: Tensor, n_outputs: int) -> Supervised:
    """The loss with a head that doubles its inputs."""
    ones, zeros = np.ones(n_outputs, np.float32), np.zeros(n_outputs, np.float32)
    names = tuple(str(index) for index in range(n_outputs))
    head = LinearHead((0,), zeros, ones, 2 * np.eye(n_outputs, dtype=np.float32), zeros, 1.0, names, task)
    return Supervised(LinearHeadModule(head), recipe, targets)


@pytest.fixture
def outputs() -> Tensor:
    return torch.randn(N, C, generator=torch.Generator().manual_seed(1)) * 3


@pytest.fixture
def classes() -> Tensor:
    return torch.from_numpy(np.random.default_rng(2).choice(C, N, p=[0.6, 0.25, 0.1, 0.05]))


@pytest.fixture
def labels() -> Tensor:
    return torch.from_numpy(
        (np.random.default_rng(3).random((N, C)) < [0.1, 0.5, 0.8, 0.3]).astype(np.float32)
    )


def log_softmax(z_NC: np.ndarray) -> np.ndarray:
    z_NC = z_NC.astype(np.float64)
    return z_NC - np.log(np.exp(z_NC).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("tau", [0.0, 1.5])
def test_classification_is_the_formula(
    outputs: Tensor, classes: Tensor, smoothing: float, weighted: bool, tau: float
) -> None:
    recipe = Recipe(label_smoothing=smoothing, class_weights=weighted, logit_adjustment=tau)
    got = objective_of(CLASSIFICATION, recipe, classes, C).losses(outputs, classes)
    y = classes.numpy()
    counts = np.bincount(y, minlength=C)
    weight = N / (C * counts) if weighted else np.ones(C)
    log_q = log_softmax(outputs.numpy() + tau * np.log(counts / N))
    p = np.eye(C)[y] * (1 - smoothing) + smoothing / C
    np.testing.assert_allclose(got, -(weight * p * log_q).sum(axis=1), rtol=2e-5, atol=2e-6)


def test_class_weights_are_those_of_scikit_learn_and_torch(outputs: Tensor, classes: Tensor) -> None:
    from sklearn.utils.class_weight import compute_class_weight

    objective = objective_of(CLASSIFICATION, Recipe(class_weights=True), classes, C)
    weight = compute_class_weight("balanced", classes=np.arange(C), y=classes.numpy())
    assert objective.balance.weight is not None
    np.testing.assert_allclose(objective.balance.weight, weight, rtol=1e-6)
    assert objective.balance.weight[classes].mean() == pytest.approx(1, rel=1e-6)
    # over the whole training part, the mean of ours and torch's weighted mean are one number
    theirs = functional.cross_entropy(outputs, classes, weight=torch.from_numpy(weight).float())
    torch.testing.assert_close(objective.losses(outputs, classes).mean(), theirs)


def test_soft_targets_at_the_corners_are_hard_ones(outputs: Tensor, classes: Tensor) -> None:
    recipe = Recipe(label_smoothing=0.1, class_weights=True, logit_adjustment=1.0)
    objective = objective_of(CLASSIFICATION, recipe, classes, C)
    soft = functional.one_hot(classes, C).double()
    torch.testing.assert_close(objective.losses(outputs, soft), objective.losses(outputs, classes))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("tau", [0.0, 1.0])
def test_multilabel_is_the_formula(outputs: Tensor, labels: Tensor, weighted: bool, tau: float) -> None:
    recipe = Recipe(class_weights=weighted, logit_adjustment=tau, label_smoothing=0.2)
    got = objective_of(MULTILABEL, recipe, labels, C).losses(outputs, labels)
    y = labels.numpy().astype(np.float64)
    share = y.mean(axis=0)
    z = outputs.numpy() + tau * np.log(share / (1 - share))
    y = y * 0.8 + 0.1
    on, off = (1 / (2 * share), 1 / (2 * (1 - share))) if weighted else (1.0, 1.0)
    naive = on * y * np.log1p(np.exp(-z)) + off * (1 - y) * np.log1p(np.exp(z))
    np.testing.assert_allclose(got, naive.mean(axis=1), rtol=2e-5, atol=2e-6)


def test_plain_multilabel_and_regression_are_those_of_torch(outputs: Tensor, labels: Tensor) -> None:
    got = objective_of(MULTILABEL, Recipe(), labels, C).losses(outputs, labels).mean()
    torch.testing.assert_close(got, functional.binary_cross_entropy_with_logits(outputs, labels))
    numbers = outputs[:, :1] * 2
    got = objective_of(REGRESSION, Recipe(), numbers, 1).losses(outputs[:, 1:2], numbers)
    assert got.shape == (N,)
    torch.testing.assert_close(got.mean(), functional.mse_loss(outputs[:, 1:2], numbers))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(5, 8), st.floats(0, 0.5))
def test_missing_classes_give_finite_losses_and_gradients(
    y: list[int], n_classes: int, smoothing: float
) -> None:
    classes = torch.tensor(y)
    recipe = Recipe(class_weights=True, logit_adjustment=1.0, label_smoothing=smoothing)
    objective = objective_of(CLASSIFICATION, recipe, classes, n_classes)
    assert objective.balance.weight is not None and (objective.balance.weight > 0).all()
    assert objective.balance.weight[classes].double().mean() == pytest.approx(1, rel=1e-5)
    outputs = torch.zeros(1, n_classes, requires_grad=True)
    loss = objective.losses(outputs, classes[:1])
    loss.mean().backward()
    assert loss.shape == (1,) and loss.isfinite().all()
    assert outputs.grad is not None and outputs.grad.isfinite().all()


def test_a_label_that_never_varies_gives_finite_losses() -> None:
    labels = torch.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]])
    recipe = Recipe(class_weights=True, logit_adjustment=2.0, label_smoothing=0.1)
    losses = objective_of(MULTILABEL, recipe, labels, 3).losses(torch.randn(2, 3), labels)
    assert losses.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_precision_is_kept(outputs: Tensor, classes: Tensor, labels: Tensor, dtype: torch.dtype) -> None:
    recipe = Recipe(class_weights=True, logit_adjustment=1.0, label_smoothing=0.1)
    z = outputs.to(dtype)
    assert objective_of(CLASSIFICATION, recipe, classes, C).losses(z, classes).dtype == dtype
    soft = functional.one_hot(classes, C).float()
    assert objective_of(CLASSIFICATION, recipe, classes, C).losses(z, soft).dtype == dtype
    assert objective_of(MULTILABEL, recipe, labels, C).losses(z, labels).dtype == dtype
    assert objective_of(REGRESSION, Recipe(), labels[:, :1], 1).losses(z[:, :1], labels[:, :1]).dtype == dtype


def test_the_adjustment_lifts_the_rare() -> None:
    """At the optimum of the adjusted loss the plain scores carry no prior (Menon et al. 2021)."""
    classes = torch.tensor([0] * 90 + [1] * 10)
    objective = objective_of(CLASSIFICATION, Recipe(logit_adjustment=1.0), classes, 2)
    bias = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.LBFGS([bias], max_iter=50)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = objective.losses(bias.expand(100, 2), classes).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert abs(float((bias[0] - bias[1]).detach())) < 1e-3


def test_numbers_have_no_classes() -> None:
    numbers = torch.randn(5, 1)
    with pytest.raises(OptionError, match="class_weights and label_smoothing of a recipe need classes"):
        objective_of(REGRESSION, Recipe(class_weights=True, label_smoothing=0.1), numbers, 1)
    with pytest.raises(OptionError, match="balanced sampling needs classes"):
        balanced_weights(numbers.numpy())


def test_the_losses_of_a_batch_go_through_the_head(classes: Tensor) -> None:
    x = torch.randn(N, C)
    got = objective_of(CLASSIFICATION, Recipe(), classes, C)(x.bfloat16(), classes, StepContext(1, 0, 0, 1))
    expected = functional.cross_entropy(2 * x.bfloat16().float(), classes, reduction="none")
    torch.testing.assert_close(got, expected)


def test_a_random_head_has_a_loss_where_there_are_classes(classes: Tensor) -> None:
    assert objective_of(CLASSIFICATION, Recipe(), classes, C).random_loss == pytest.approx(np.log(C))
    assert objective_of(REGRESSION, Recipe(), torch.randn(5, 1), 1).random_loss is None


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-2, 5), min_size=1, max_size=50))
def test_balanced_weights_make_classes_equally_likely(y: list[int]) -> None:
    labels = np.array(y)
    weights = balanced_weights(labels)
    assert (weights > 0).all() and weights.mean() == pytest.approx(1)
    totals = [weights[labels == value].sum() for value in np.unique(labels)]
    np.testing.assert_allclose(totals, totals[0])


def test_balanced_weights_of_labels(labels: Tensor) -> None:
    weights = balanced_weights(labels.numpy())
    assert weights.shape == (N,) and (weights > 0).all() and weights.mean() == pytest.approx(1)
    constant = np.concatenate([labels.numpy(), np.zeros((N, 1), np.float32)], axis=1)
    assert np.isfinite(balanced_weights(constant)).all()
