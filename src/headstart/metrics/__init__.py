"""Metrics: the catalogue, and how each metric is computed with its interval."""

from headstart.metrics.catalogue import METRICS, VERIFICATION, Metric, metric_named, metrics_of
from headstart.metrics.classification import class_metrics
from headstart.metrics.counts import Bin, calibration_bins, confusion_matrix
from headstart.metrics.interval import Interval
from headstart.metrics.multilabel import LabelRow, label_bins, label_metrics, label_rows
from headstart.metrics.regression import value_metrics
from headstart.metrics.spread import Units, standard_error

__all__ = [
    "METRICS",
    "VERIFICATION",
    "Bin",
    "Interval",
    "LabelRow",
    "Metric",
    "Units",
    "calibration_bins",
    "class_metrics",
    "confusion_matrix",
    "label_bins",
    "label_metrics",
    "label_rows",
    "metric_named",
    "metrics_of",
    "standard_error",
    "value_metrics",
]
