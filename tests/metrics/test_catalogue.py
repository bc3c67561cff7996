"""The catalogue knows every number that is computed, and nothing else is computed."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.metrics import (
    METRICS,
    VERIFICATION,
    class_metrics,
    label_metrics,
    metric_named,
    metrics_of,
    value_metrics,
)
from headstart.metrics.catalogue import in_order

Y = np.arange(400) % 2
P = np.stack([1 - 0.4 * Y - 0.1, 0.4 * Y + 0.1], axis=1)
FOUND = {
    "classification": class_metrics(Y, P),
    "multilabel": label_metrics(np.stack([Y, 1 - Y], axis=1), P),
    "regression": value_metrics(Y.astype(float), P[:, 1]),
}


@pytest.mark.parametrize("task", FOUND)
def test_what_is_computed_is_in_the_catalogue_in_its_order(task: str) -> None:
    assert list(FOUND[task]) == [metric.key for metric in metrics_of(task)]


@pytest.mark.parametrize("task", FOUND)
def test_the_better_direction_is_that_of_the_numbers(task: str) -> None:
    truth = {"classification": Y, "multilabel": np.stack([Y, 1 - Y], axis=1), "regression": Y.astype(float)}
    compute = {"classification": class_metrics, "multilabel": label_metrics, "regression": value_metrics}
    noise = np.random.default_rng(0).random((400, 2))
    poor = noise / noise.sum(axis=1, keepdims=True) if task != "regression" else noise[:, 0]
    good = {"classification": np.eye(2)[Y], "multilabel": np.eye(2)[1 - Y], "regression": 0.9 * Y}[task]
    better, worse = (compute[task](truth[task], p) for p in (good, poor))
    for metric in metrics_of(task):
        gain = float(better[metric.key]) - float(worse[metric.key])
        assert gain > 0 if metric.better == "higher" else gain < 0, metric.key


def test_every_metric_has_words() -> None:
    assert all(metric.label and metric.hint for metric in METRICS.values())
    assert set(VERIFICATION) <= set(METRICS)


def test_a_metric_of_a_newer_version() -> None:
    assert metric_named("a_new_one").label == "a new one"
    assert in_order(["a_new_one", "log_loss", "accuracy"]) == ["accuracy", "log_loss", "a_new_one"]
