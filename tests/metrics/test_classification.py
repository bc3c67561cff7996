"""Metrics against scikit-learn, and the intervals of classes."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.errors import DataError
from headstart.metrics import Units, class_metrics


def case(n_items: int, n_classes: int, seed: int, levels: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n_items - n_classes)])
    logits = rng.normal(size=(n_items, n_classes))
    logits[np.arange(n_items), y] += 1
    if levels:
        logits = np.round(logits * levels) / levels
    p = np.exp(logits)
    return y, p / p.sum(axis=1, keepdims=True)


def reference(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    predicted, n_classes = p.argmax(axis=1), p.shape[1]
    areas = [sk.roc_auc_score(y == c, p[:, c]) for c in ([1] if n_classes == 2 else range(n_classes))]
    return {
        "accuracy": sk.accuracy_score(y, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(y, predicted),
        "macro_f1": sk.f1_score(y, predicted, average="macro"),
        "auroc": float(np.mean(areas)),
        "log_loss": sk.log_loss(y, p, labels=np.arange(n_classes)),
    }


@settings(max_examples=25, deadline=None)
@given(
    n_items=st.integers(8, 80),
    n_classes=st.integers(2, 6),
    seed=st.integers(0, 999),
    levels=st.integers(0, 2),
)
@pytest.mark.filterwarnings("ignore:y_pred contains classes")
def test_values_equal_those_of_scikit_learn(n_items: int, n_classes: int, seed: int, levels: int) -> None:
    y, p = case(n_items, n_classes, seed, levels)
    found = class_metrics(y, p)
    for name, value in reference(y, p).items():
        assert found[name].value == pytest.approx(value, abs=1e-9), name
        low, high = found[name].low, found[name].high
        assert (low is None and found[name].why) or low <= found[name].value <= high


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("size", [1, 4])
def test_intervals_of_many_items_are_as_wide_as_a_plain_bootstrap_says(n_classes: int, size: int) -> None:
    y, p = case(1200, n_classes, 0)
    numbers = np.arange(1200) // size
    rng = np.random.default_rng(3)
    drawn: dict[str, list[float]] = {}
    for _ in range(150):
        chosen = rng.integers(0, 1200 // size, 1200 // size)
        rows = np.concatenate([np.flatnonzero(numbers == unit) for unit in chosen])
        for name, value in reference(y[rows], p[rows]).items():
            drawn.setdefault(name, []).append(value)
    found = class_metrics(y, p, None if size == 1 else numbers)
    for name, values in drawn.items():
        width = found[name].high - found[name].low
        assert width == pytest.approx(2 * 1.96 * np.std(values), rel=0.2), name


def test_every_item_right_leaves_room_for_error() -> None:
    y = np.arange(40) % 2
    found = class_metrics(y, np.eye(2)[y])
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "auroc", "average_precision"):
        assert found[name].value == 1 and found[name].high == 1, name
        assert 0.75 < found[name].low < 0.95, name
    few = class_metrics(y, np.eye(2)[y], np.arange(40) // 10)["accuracy"]
    assert few.low < found["accuracy"].low - 0.2  # four units, whose likeness nothing shows


def test_a_class_of_a_few_items_has_no_interval_and_says_why() -> None:
    y, p = case(40, 2, 0)
    y[:] = 0
    y[:2] = 1
    found = class_metrics(y, p)
    assert found["accuracy"].low is not None
    for name in ("balanced_accuracy", "macro_f1", "auroc", "average_precision"):
        assert found[name].low is None and "too few" in found[name].why, name


def test_copies_of_items_say_nothing_new() -> None:
    y, p = case(60, 2, 1)
    rows = np.repeat(np.arange(60), 5)
    once, copied = class_metrics(y, p), class_metrics(y[rows], p[rows], rows)
    for name in ("accuracy", "balanced_accuracy", "log_loss", "average_precision"):
        assert copied[name].value == pytest.approx(once[name].value)
        assert copied[name].high - copied[name].low == pytest.approx(
            once[name].high - once[name].low, rel=0.05
        )


def test_widening() -> None:
    y, p = case(400, 2, 0)
    plain = class_metrics(y, p)["accuracy"]
    wide = class_metrics(y, p, Units.of(None, 400, widen=1.5))["accuracy"]
    assert wide.high - wide.low == pytest.approx(1.5 * (plain.high - plain.low), rel=0.02)


def test_an_absent_class_leaves_the_auroc_open_and_a_single_group_all_intervals() -> None:
    y, p = case(30, 3, 0)
    present = y != 2
    assert class_metrics(y[present], p[present])["auroc"].value is None
    alone = class_metrics(y, p, np.array(["g"] * 30, dtype=object))["accuracy"]
    assert alone.value is not None and alone.low is None and alone.high is None


def test_labels_and_probabilities_that_do_not_belong_together_are_refused() -> None:
    y, p = case(10, 3, 0)
    with pytest.raises(DataError, match="0 <= label < 3"):
        class_metrics(y + 1, p)
    with pytest.raises(DataError, match="n_items"):
        class_metrics(y[:-1], p)
    with pytest.raises(DataError, match="finite"):
        class_metrics(y, p * np.nan)


def test_two_classes_have_the_average_precision_of_the_rarer() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(80) < 0.2).astype(int)
    p = 1 / (1 + np.exp(2 - 2 * y[:, None] - rng.normal(size=(80, 1))))
    found = class_metrics(y, np.concatenate([1 - p, p], axis=1))
    assert found["average_precision"].value == pytest.approx(sk.average_precision_score(y, p[:, 0]))
    assert "average_precision" not in class_metrics(y, np.full((80, 3), 1 / 3))


def test_units_that_agree_by_chance_say_no_more_than_independent_items() -> None:
    y, hit = np.arange(60) % 2, np.arange(60) % 20 >= 3  # each of three units has 17 of 20 right
    p = np.eye(2)[np.where(hit, y, 1 - y)]
    alone, units = class_metrics(y, p)["accuracy"], class_metrics(y, p, np.arange(60) // 20)["accuracy"]
    assert (units.low, units.high) == (alone.low, alone.high)
