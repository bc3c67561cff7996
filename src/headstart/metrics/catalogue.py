"""Every metric that headstart reports: its key, the tasks that have it, and how it is shown.

A metric is computed in the numeric module of its tasks (`classification`, `multilabel`, `regression`).
To add a metric, compute it there and add its row here; the report, the model card, metrics.json and the hub's
metadata read this table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

CLASSES, LABELS, VALUES = "classification", "multilabel", "regression"


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        key: its name in metrics.json.
        label: its name for a reader.
        hint: what it says, in one line, for a reader who does not know it.
        tasks: names of the tasks whose held-out scores have it.
        better: which direction is better.
        form: "percent" is shown as 95.5%, "number" as 0.946.
        hub: its name on the Hugging Face hub; "" if the hub does not know it.
        required: every run of its tasks has it since the first version, so that a run without it is damaged.
        in_summary: whether the terminal shows it at the end of a run; the report and the card show all.
        by_units: whether its value, not only its interval, depends on which items belong together.
    """

    key: str
    label: str
    hint: str
    tasks: tuple[str, ...] = ()
    better: Literal["higher", "lower"] = "higher"
    form: Literal["percent", "number"] = "number"
    hub: str = ""
    required: bool = False
    in_summary: bool = False
    by_units: bool = False


# In the order in which metrics.json, card and report show them.
_ALL = (
    Metric(
        "accuracy", "Accuracy", "share of held-out items whose class is right",
        (CLASSES,), form="percent", hub="accuracy", required=True,
    ),
    Metric(
        "balanced_accuracy", "Balanced accuracy", "accuracy with every class counting the same",
        (CLASSES,), form="percent", required=True, in_summary=True,
    ),
    Metric(
        "mean_average_precision", "Mean average precision", "precision over all thresholds, mean over labels",
        (LABELS,), hub="mean_average_precision", required=True,
    ),
    Metric(
        "macro_f1", "Macro F1", "recall and precision in one, mean over classes",
        (CLASSES, LABELS), form="percent", hub="f1", required=True, in_summary=True,
    ),
    Metric(
        "micro_f1", "Micro F1", "recall and precision in one, all labels together",
        (LABELS,), form="percent", required=True, in_summary=True,
    ),
    Metric(
        "auroc", "AUROC", "how well the classes are ranked; 0.5 is chance, 1 perfect",
        (CLASSES, LABELS), hub="roc_auc", required=True,
    ),
    Metric(
        "average_precision", "Average precision", "of the rarer of two classes: precision over all thresholds",
        (CLASSES,),
    ),
    Metric(
        "exact_match", "All labels right", "share of items without any wrong label",
        (LABELS,), form="percent", required=True,
    ),
    Metric(
        "log_loss", "Log loss", "how far the stated probabilities are off; 0 is perfect",
        (CLASSES, LABELS), better="lower", required=True,
    ),
    Metric(
        "calibration_error", "Calibration error", "stated confidence against what comes true, beyond chance",
        (CLASSES, LABELS), better="lower", form="percent", by_units=True,
    ),
    Metric(
        "rmse", "RMSE", "typical error, in the target's own unit",
        (VALUES,), better="lower", hub="rmse", required=True, in_summary=True,
    ),
    Metric(
        "mae", "MAE", "mean size of the error, in the target's own unit",
        (VALUES,), better="lower", hub="mae", in_summary=True,
    ),
    Metric("r2", "R²", "share of the variance explained", (VALUES,), hub="r_squared", required=True),
    Metric(
        "spearman", "Spearman", "how well the order matches; 1 is perfect",
        (VALUES,), hub="spearmanr", in_summary=True,
    ),
    # Not among the held-out scores of a task: the quality by which labels are chosen, and verification.
    Metric(
        "explained_log_loss", "Explained share of the log loss", "0 is answering how frequent each label is"
    ),
    Metric(
        "eer", "Equal error rate", "error at the threshold where both kinds of error are equal",
        better="lower", form="percent",
    ),
    Metric(
        "min_dcf", "minDCF (p = 0.05)", "cost of the best threshold; 1 is useless", better="lower"
    ),
)  # fmt: skip
METRICS: dict[str, Metric] = {metric.key: metric for metric in _ALL}
VERIFICATION = ("eer", "min_dcf")


def metric_named(key: str) -> Metric:
    """Return a metric; a key that is not in the catalogue (of a newer headstart) is its own label."""
    return METRICS.get(key) or Metric(key, key.replace("_", " "), "")


def metrics_of(task: str) -> tuple[Metric, ...]:
    """Return the metrics of the held-out scores of a task, in the order in which they are shown."""
    return tuple(found for found in METRICS.values() if task in found.tasks)


def in_order(keys: Iterable[str]) -> list[str]:
    """Return the keys in the order of the catalogue; those that are not in it last, as they come."""
    place = {key: index for index, key in enumerate(METRICS)}
    return sorted(keys, key=lambda key: place.get(key, len(place)))
