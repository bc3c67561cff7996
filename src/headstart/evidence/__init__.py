"""Evidence: metrics with intervals, baselines, verification, comparisons and verdicts."""

from headstart.evidence.baselines import ClassicalModel, fit_classical, majority
from headstart.evidence.classical_features import ClassicalFeatures, classical_features
from headstart.evidence.counts import Bin, calibration_bins, confusion_matrix
from headstart.evidence.intervals import Interval, standard_error
from headstart.evidence.metrics import metrics
from headstart.evidence.multilabel import LabelRow, label_bins, label_metrics, label_rows
from headstart.evidence.regression import value_metrics
from headstart.evidence.tasks import task_metrics
from headstart.evidence.verdict import Verdict, accuracy_difference, loss_difference, verdict
from headstart.evidence.verification import Verification, verification

__all__ = [
    "Bin",
    "ClassicalFeatures",
    "ClassicalModel",
    "Interval",
    "LabelRow",
    "Verdict",
    "Verification",
    "accuracy_difference",
    "calibration_bins",
    "classical_features",
    "confusion_matrix",
    "fit_classical",
    "label_bins",
    "label_metrics",
    "label_rows",
    "loss_difference",
    "majority",
    "metrics",
    "standard_error",
    "task_metrics",
    "value_metrics",
    "verdict",
    "verification",
]
