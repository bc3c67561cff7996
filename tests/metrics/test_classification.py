"""Metrics against scikit-learn, intervals against a naive bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

import headstart.metrics.auroc as auroc_module
from headstart.errors import DataError
from headstart.metrics import class_metrics, standard_error
from headstart.metrics.bootstrap import resample_counts


def case(n_items: int, n_classes: int, seed: int, levels: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n_items - n_classes)])
    logits = rng.normal(size=(n_items, n_classes))
    logits[np.arange(n_items), y] += 1
    if levels:
        logits = np.round(logits * levels) / levels
    p = np.exp(logits)
    return y, p / p.sum(axis=1, keepdims=True)


def ece(y: np.ndarray, p: np.ndarray) -> float:
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    total = 0.0
    for i in range(15):
        inside = (confidence > i / 15) & (confidence <= (i + 1) / 15)
        total += abs((confidence[inside] - right[inside]).sum())
    return total / len(y)


def reference(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    predicted, n_classes = p.argmax(axis=1), p.shape[1]
    areas = [sk.roc_auc_score(y == c, p[:, c]) for c in ([1] if n_classes == 2 else range(n_classes))]
    return {
        "accuracy": sk.accuracy_score(y, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(y, predicted),
        "macro_f1": sk.f1_score(y, predicted, average="macro"),
        "auroc": float(np.mean(areas)),
        "log_loss": sk.log_loss(y, p, labels=np.arange(n_classes)),
        "ece": ece(y, p),
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
    found = class_metrics(y, p, n_resamples=10)
    for name, value in reference(y, p).items():
        assert found[name].value == pytest.approx(value, abs=1e-9), name
        assert found[name].low <= found[name].value <= found[name].high


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("with_groups", [False, True])
def test_intervals_equal_those_of_a_naive_bootstrap(n_classes: int, with_groups: bool) -> None:
    y, p = case(120, n_classes, 0)
    groups = np.array([f"g{i // 4}" for i in range(120)], dtype=object) if with_groups else None
    numbers = np.unique(groups, return_inverse=True)[1] if with_groups else np.arange(120)
    counts = np.concatenate(list(resample_counts(numbers.max() + 1, 200, seed=3)))
    resampled: dict[str, list[float]] = {}
    for count in counts:
        rows = np.repeat(np.arange(120), count[numbers].astype(int))
        for name, value in reference(y[rows], p[rows]).items():
            resampled.setdefault(name, []).append(value)
    found = class_metrics(y, p, groups, n_resamples=200, seed=3)
    for name, values in resampled.items():
        low, high = np.quantile(values, [0.025, 0.975])
        assert found[name].low == pytest.approx(min(low, found[name].value), abs=1e-4), name
        assert found[name].high == pytest.approx(max(high, found[name].value), abs=1e-4), name


def test_the_first_order_form_of_the_auroc_is_near_the_exact_one(monkeypatch: pytest.MonkeyPatch) -> None:
    y, p = case(600, 3, 1)
    groups = np.array([f"g{i // 3}" for i in range(600)], dtype=object)
    monkeypatch.setattr(auroc_module, "EXACT_CELLS", 10**9)
    exact = class_metrics(y, p, groups)["auroc"]
    monkeypatch.setattr(auroc_module, "EXACT_CELLS", 0)
    quick = class_metrics(y, p, groups)["auroc"]
    assert quick.value == exact.value
    assert quick.low == pytest.approx(exact.low, abs=2e-3)
    assert quick.high == pytest.approx(exact.high, abs=2e-3)


def test_the_same_seed_gives_the_same_intervals_and_chunks_do_not_matter() -> None:
    y, p = case(50, 3, 0)
    assert class_metrics(y, p, n_resamples=100) == class_metrics(y, p, n_resamples=100)
    assert class_metrics(y, p, n_resamples=100) != class_metrics(y, p, n_resamples=100, seed=1)
    whole = np.concatenate(list(resample_counts(7, 20)))
    parts = np.concatenate(list(resample_counts(7, 20, chunk_cells=21)))
    assert whole.shape == parts.shape == (20, 7) and (whole.sum(axis=1) == 7).all()
    assert (whole == parts).all()


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


def test_the_standard_error_of_items_and_of_groups() -> None:
    x = np.random.default_rng(0).normal(size=400)
    assert standard_error(x) == pytest.approx(x.std(ddof=1) / 20)
    groups = np.repeat(np.arange(100), 4).astype(str).astype(object)
    assert standard_error(np.repeat(x[:100], 4), groups) == pytest.approx(x[:100].std(ddof=1) / 10)
    assert np.isnan(standard_error(x, np.array(["g"] * 400, dtype=object)))


def test_two_classes_have_the_average_precision_of_the_rarer() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(80) < 0.2).astype(int)
    p = 1 / (1 + np.exp(2 - 2 * y[:, None] - rng.normal(size=(80, 1))))
    found = class_metrics(y, np.concatenate([1 - p, p], axis=1), n_resamples=20)
    assert found["average_precision"].value == pytest.approx(sk.average_precision_score(y, p[:, 0]))
    assert "average_precision" not in class_metrics(y, np.full((80, 3), 1 / 3), n_resamples=5)
