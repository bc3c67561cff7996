"""Evidence: metrics with intervals, baselines, comparisons and verdicts."""

from headstart.evidence.intervals import Interval, standard_error
from headstart.evidence.metrics import metrics

__all__ = ["Interval", "metrics", "standard_error"]
