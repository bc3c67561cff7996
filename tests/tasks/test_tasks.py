"""What every task keeps: labels come back, both forms of outputs agree, and its metrics are in the catalogue."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.errors import DataError, OptionError
from headstart.metrics import METRICS, metrics_of
from headstart.tasks import (
    CLASSIFICATION,
    MULTILABEL,
    REGRESSION,
    TASKS,
    Targets,
    TargetScale,
    Task,
    task_named,
)

EVERY = pytest.mark.parametrize("task", TASKS.values(), ids=str)
NAMES = ("a", "b", "c")
LABELS = {
    "classification": st.sampled_from(NAMES),
    "multilabel": st.sets(st.sampled_from(NAMES)).map(lambda names: "|".join(sorted(names)) or "-"),
    "regression": st.floats(-1e3, 1e3, width=32).map(repr),
}


def outputs_of(task: Task, targets: np.ndarray) -> np.ndarray:
    """The outputs of a model that is always right."""
    return np.eye(3)[targets] if task is CLASSIFICATION else targets


@EVERY
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_labels_come_back(task: Task, data: st.DataObject) -> None:
    labels = data.draw(st.lists(LABELS[task.name], min_size=1, max_size=20))
    targets = Targets(task, NAMES if task.has_classes else ("size",))
    encoded = targets.encode(labels)
    decoded = targets.decode(outputs_of(task, encoded)).tolist()
    assert decoded == (labels if task.has_classes else [float(label) for label in labels])
    assert task.strata(encoded).shape == (len(labels),)
    assert sum(task.counts(labels).values()) == (
        len(labels) if task.one_per_item else int(encoded.sum()) if task.many_per_item else 0
    )


@EVERY
def test_there_is_one_object_of_each(task: Task) -> None:
    assert task_named(task.name) is task and str(task) == task.name
    assert pickle.loads(pickle.dumps(task)) is task and copy.deepcopy([task])[0] is task


def test_a_task_that_is_not_known() -> None:
    assert task_named(None) is CLASSIFICATION
    with pytest.raises(OptionError, match="Did you mean 'regression'"):
        task_named("regresion")


@EVERY
def test_its_metrics_are_in_the_catalogue(task: Task) -> None:
    own = {metric.key for metric in metrics_of(task.name)}
    assert {task.headline, task.verdict_metric} <= own
    assert {task.quality_name(), task.quality_name(balanced=True)} <= set(METRICS)


@EVERY
@pytest.mark.parametrize("temperature", [1.0, 1.7])
def test_the_tensor_form_agrees(task: Task, temperature: float) -> None:
    scores = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    tensor = task.activated_tensor(torch.from_numpy(scores), temperature)
    np.testing.assert_allclose(tensor.numpy(), task.activated(scores, temperature), atol=1e-6)


@EVERY
def test_right_answers_are_better_than_the_constant_one(task: Task) -> None:
    labels = {
        "classification": ["a", "b", "a"],
        "multilabel": ["a|b", "-", "b"],
        "regression": ["1", "4", "2"],
    }
    targets = Targets(task, NAMES if task.has_classes else ("size",)).encode(labels[task.name])
    right = outputs_of(task, targets)
    plain = np.tile(task.constant(targets, right.shape[1]), (3, 1))
    assert task.item_losses(right, targets).mean() < task.item_losses(plain, targets).mean()
    assert task.item_quality(right, targets).mean() == pytest.approx(1, abs=1e-6)
    assert task.least_quality <= task.item_quality(plain, targets).mean() < 1
    assert set(task.metrics(targets, right)) <= {metric.key for metric in metrics_of(task.name)}
    gain = task.difference(targets, right, plain)
    better = METRICS[task.verdict_metric].better
    assert gain.value is not None and (gain.value > 0) == (better == "higher")


def test_labels_unknown_to_the_targets_are_refused() -> None:
    with pytest.raises(DataError, match="'c' is not among the 2 labels"):
        Targets(MULTILABEL, ("a", "b")).encode(["a|c"])
    with pytest.raises(DataError, match="'c' is not among the 2 classes"):
        Targets(CLASSIFICATION, ("a", "b")).encode(["c"])
    with pytest.raises(DataError, match="not a number"):
        Targets(REGRESSION, ("x",)).encode(["much"])
    with pytest.raises(DataError, match="not finite"):
        Targets(REGRESSION, ("x",)).encode(["inf"])


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=30))
@settings(max_examples=40, deadline=None)
def test_a_scale_goes_there_and_back(values: list[float]) -> None:
    y = np.array(values, dtype=np.float32)[:, None]
    scale = REGRESSION.scale_of(y)
    inside = scale.inward(y)
    assert abs(float(inside.mean())) < 1e-2
    np.testing.assert_allclose(scale.outward(inside), y, rtol=1e-3, atol=1e-3 * max(1.0, scale.factor))
    assert CLASSIFICATION.scale_of(y) == MULTILABEL.scale_of(y) == TargetScale()


def test_losses_and_quality_against_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, d2_log_loss_score, log_loss, r2_score

    rng = np.random.default_rng(3)
    y = (rng.random((150, 3)) < [0.5, 0.3, 0.1]).astype(np.float32)
    p = MULTILABEL.activated(rng.normal(size=y.shape))
    losses = MULTILABEL.item_losses(p, y)
    wanted = np.mean([log_loss(y[:, c], p[:, c].astype(float), labels=[0, 1]) for c in range(3)])
    assert np.isclose(losses.mean(), wanted, atol=1e-6)
    one = p[:, :1]
    assert np.isclose(
        MULTILABEL.item_quality(one, y[:, :1]).mean(), d2_log_loss_score(y[:, 0], one[:, 0]), atol=1e-5
    )
    values, guesses = rng.normal(size=(50, 1)), rng.normal(size=(50, 1))
    assert np.isclose(REGRESSION.item_quality(guesses, values).mean(), r2_score(values, guesses))
    codes, q = rng.integers(0, 3, 50), CLASSIFICATION.activated(rng.normal(size=(50, 3)))
    assert np.isclose(
        CLASSIFICATION.item_losses(q, codes).mean(), log_loss(codes, q.astype(float)), atol=1e-6
    )
    assert CLASSIFICATION.item_quality(q, codes).mean() == accuracy_score(codes, q.argmax(axis=1))
    assert np.allclose(MULTILABEL.constant(y, 3), y.mean(axis=0))


@pytest.mark.parametrize(("middle", "spread"), [(3e39, 1e39), (1e9, 0.01), (-1e-30, 1e-31), (4.0, 2.0)])
def test_values_of_any_size_keep_their_digits(middle: float, spread: float) -> None:
    """float32 holds no 1e39, and steps by 64 at 1e9: values are standardised in float64 before they get there."""
    y = middle + spread * np.random.default_rng(0).normal(size=(50, 1))
    encoded = Targets(REGRESSION, ("x",)).encode([repr(float(value)) for value in y[:, 0]])
    scale = REGRESSION.scale_of(encoded)
    back = scale.outward(scale.inward(encoded))
    np.testing.assert_allclose(back - middle, y - middle, rtol=0, atol=1e-5 * spread)
    assert scale.fits_float32 == (abs(middle) < 1e6)
    assert REGRESSION.metrics(encoded, back)["r2"].value > 0.999999


def test_a_quantity_that_no_square_can_hold_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"'-1e\+200' is larger than 1e\+100: give the quantity in a larger unit"
    ):
        Targets(REGRESSION, ("x",)).encode(["-1e+200"])
