"""Every metric passes its suite against a plain version, and the suite fails where a metric is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as sk
from scipy.stats import spearmanr

from headstart.heads.verification import eer, min_dcf
from headstart.metrics import METRICS, Interval, metrics_of
from headstart.tasks import CLASSIFICATION, MULTILABEL, TASKS, Task
from headstart.testing import check_metric

Array = np.ndarray
Plain = Callable[[Array, Array], "float | None"]


def mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def beyond_chance(stated: Array, came_true: Array, item: Array) -> float:
    """Calibration error by loops over bins and items."""
    n_bins = min(15, max(1, stated.size // 20))
    number = np.searchsorted(np.quantile(stated, np.arange(1, n_bins) / n_bins), stated)
    total, n_items = 0.0, len(np.unique(item))
    for inside in (number == k for k in np.unique(number)):
        gap = (stated - came_true)[inside]
        size = inside.sum()
        parts = [(gap - gap.mean())[item[inside] == one].sum() for one in np.unique(item)]
        noise = (
            np.square(parts).sum() * size / max(size - 1, 1) * n_items / (n_items - 1) if n_items > 1 else 0
        )
        least = (stated[inside] * (1 - stated[inside])).sum() if n_items > 1 else 0
        total += size / stated.size * (gap.mean() ** 2 - max(noise, least) / size**2)
    return float(np.sqrt(max(0.0, total)))


def two_sided(y: Array) -> bool:
    return 0 < y.sum() < len(y)


def class_auroc(y: Array, p: Array) -> float | None:
    sides = [1] if p.shape[1] == 2 else range(p.shape[1])
    if not all(two_sided(y == c) for c in sides):
        return None
    return mean([sk.roc_auc_score(y == c, p[:, c]) for c in sides])


def rarer_precision(y: Array, p: Array) -> float | None:
    rarer = int((y == 1).sum() < (y == 0).sum())
    if p.shape[1] != 2 or not (y == rarer).any():
        return None
    return float(sk.average_precision_score(y == rarer, p[:, rarer]))


CLASSES: dict[str, Plain] = {
    "accuracy": lambda y, p: (p.argmax(1) == y).mean(),
    "balanced_accuracy": lambda y, p: mean([(p.argmax(1)[y == c] == c).mean() for c in np.unique(y)]),
    "macro_f1": lambda y, p: sk.f1_score(y, p.argmax(1), average="macro", zero_division=0),
    "auroc": class_auroc,
    "average_precision": rarer_precision,
    "log_loss": lambda y, p: -np.log(np.float64(p[np.arange(len(y)), y])).mean(),
    "calibration_error": lambda y, p: beyond_chance(
        p.max(1).astype(float), p.argmax(1) == y, np.arange(len(y))
    ),
}


def label_f1(y: Array, p: Array) -> float:
    named, has = p >= 0.5, y > 0.5
    used = (named | has).any(axis=0)
    return mean([sk.f1_score(has[:, c], named[:, c], zero_division=0) for c in np.flatnonzero(used)]) or 0.0


LABELS: dict[str, Plain] = {
    "mean_average_precision": lambda y, p: mean(
        [sk.average_precision_score(y[:, c], p[:, c]) for c in range(3) if y[:, c].any()]
    ),
    "macro_f1": label_f1,
    "micro_f1": lambda y, p: sk.f1_score(y > 0.5, p >= 0.5, average="micro", zero_division=0),
    "auroc": lambda y, p: mean([sk.roc_auc_score(y[:, c], p[:, c]) for c in range(3) if two_sided(y[:, c])]),
    "exact_match": lambda y, p: ((p >= 0.5) == (y > 0.5)).all(axis=1).mean(),
    "log_loss": lambda y, p: -np.log(np.where(y > 0.5, p.astype(float), 1 - p.astype(float))).mean(),
    "calibration_error": lambda y, p: beyond_chance(
        p.ravel().astype(float), y.ravel(), np.repeat(np.arange(len(y)), y.shape[1])
    ),
}


def rank_correlation(y: Array, p: Array) -> float | None:
    return None if np.ptp(y) == 0 or np.ptp(p) == 0 else float(spearmanr(y[:, 0], p[:, 0]).statistic)


VALUES: dict[str, Plain] = {
    "rmse": lambda y, p: sk.root_mean_squared_error(y.astype(float), p),
    "mae": lambda y, p: sk.mean_absolute_error(y.astype(float), p),
    "r2": lambda y, p: None if np.ptp(y) == 0 else sk.r2_score(y.astype(float), p),
    "spearman": rank_correlation,
}
PLAIN = {"classification": CLASSES, "multilabel": LABELS, "regression": VALUES}


@pytest.mark.parametrize("key", [metric.key for metric in METRICS.values() if metric.tasks])
def test_every_metric_of_a_task_passes(key: str) -> None:
    check_metric(key, {task: PLAIN[task][key] for task in METRICS[key].tasks})


def crossing(y: Array, p: Array) -> float | None:
    if not two_sided(y == 1):
        return None
    false_alarm, hit, _ = sk.roc_curve(y == 1, p[:, 1], drop_intermediate=False)
    return float(np.interp(0, false_alarm - (1 - hit), false_alarm))


def least_cost(y: Array, p: Array) -> float | None:
    if not two_sided(y == 1):
        return None
    false_alarm, hit, _ = sk.roc_curve(y == 1, p[:, 1], drop_intermediate=False)
    return float((0.05 * (1 - hit) + 0.95 * false_alarm).min() / 0.05)


def explained(y: Array, p: Array) -> float:
    share, p = np.tile(y.mean(axis=0), (len(y), 1)).astype(float), p.astype(float)
    own, plain = (-np.log(np.clip(np.where(y > 0.5, q, 1 - q), 1e-12, 1)).mean() for q in (p, share))
    return float(1 - own / max(plain, 1e-300))


def quality(task: Task) -> Any:
    return lambda y, p, units: Interval.of(task.item_quality(p, y).mean())


def of_trials(rate: Callable[[Array, Array], float]) -> Any:
    """Probabilities of the second class as scores of trials, which are targets if they have that class."""
    return lambda y, p, units: Interval.of(rate(p[:, 1].astype(float), y == 1))


OTHERS: dict[str, tuple[str, Plain, Any]] = {
    "explained_log_loss": ("multilabel", explained, quality(MULTILABEL)),
    "eer": ("classification", crossing, of_trials(eer)),
    "min_dcf": ("classification", least_cost, of_trials(min_dcf)),
}


def test_no_metric_is_left_out() -> None:
    assert set(OTHERS) == {metric.key for metric in METRICS.values() if not metric.tasks}
    assert {key for task in TASKS for key in PLAIN[task]} | set(OTHERS) == set(METRICS)


@pytest.mark.parametrize("key", OTHERS)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_every_other_metric_passes(key: str) -> None:
    task, plain, compute = OTHERS[key]
    check_metric(key, {task: plain}, compute=compute)


def interval_of(value: Callable[[Array, Array], Any], width: float = 0.1) -> Any:
    def compute(y: Array, p: Array, units: Any) -> Interval:
        found = value(y, p)
        return Interval(None) if found is None else Interval(found, found - width, found + width)

    return compute


def error_rate(y: Array, p: Array) -> float:
    return float((p.argmax(1) != y).mean())


ERROR = replace(METRICS["accuracy"], key="error_rate", better="lower", tasks=("classification",))


def test_a_metric_that_is_not_in_the_catalogue_yet() -> None:
    check_metric(ERROR, {"classification": error_rate}, compute=interval_of(error_rate))


@pytest.mark.parametrize(
    "row, compute, fault",
    [
        (replace(ERROR, better="higher"), interval_of(error_rate), "better is 'higher'"),
        (replace(ERROR, key="Error rate"), interval_of(error_rate), "is not a key"),
        (replace(ERROR, hint=""), interval_of(error_rate), "label and hint"),
        (replace(ERROR, tasks=("ranking",)), interval_of(error_rate), "no task ranking|plain version for"),
        (ERROR, interval_of(lambda y, p: 0.9 * error_rate(y, p)), "and the plain version gives"),
        (ERROR, interval_of(error_rate, -0.1), "does not contain the value"),
        (ERROR, interval_of(lambda y, p: None), "not defined, expected"),
        (ERROR, interval_of(lambda y, p: np.float32(error_rate(y, p))), "float32, which JSON cannot hold"),
        (ERROR, lambda y, p, units: Interval(error_rate(y, p), 0.0, None), "only one end"),
    ],
)
def test_what_is_wrong_is_named(row: Any, compute: Any, fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        check_metric(row, {"classification": error_rate}, compute=compute)


def test_the_order_of_the_items_must_have_no_effect() -> None:
    first = lambda y, p: float(p[0, 0])  # noqa: E731
    with pytest.raises(AssertionError, match=r"it changes by .* with the order"):
        check_metric(ERROR, {"classification": first}, compute=interval_of(first))


def test_a_value_where_it_is_not_defined() -> None:
    always = interval_of(lambda y, p: class_auroc(y, p) or 0.0)
    with pytest.raises(AssertionError, match="where it is not defined; it must be None"):
        check_metric("auroc", {"classification": class_auroc, "multilabel": LABELS["auroc"]}, compute=always)


def test_percent_must_be_a_share() -> None:
    hundred = lambda y, p: 100 * error_rate(y, p)  # noqa: E731
    with pytest.raises(AssertionError, match="cannot be shown in percent"):
        check_metric(ERROR, {"classification": hundred}, compute=interval_of(hundred))


def test_items_of_a_unit_must_be_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = CLASSIFICATION.metrics

    def by_item(y: Array, p: Array, units: Any = None, **how: Any) -> dict[str, Interval]:
        return plain(y, p, None, **how)

    monkeypatch.setattr(type(CLASSIFICATION), "metrics", lambda self, *asked, **how: by_item(*asked, **how))
    with pytest.raises(AssertionError, match="count the items of a unit together"):
        check_metric("accuracy", {"classification": CLASSES["accuracy"]})


def test_each_task_needs_a_plain_version() -> None:
    with pytest.raises(AssertionError, match="plain version for multilabel too"):
        check_metric("auroc", {"classification": class_auroc})


def test_metrics_of_every_task_are_covered() -> None:
    assert all(set(PLAIN[task]) == {metric.key for metric in metrics_of(task)} for task in TASKS)
