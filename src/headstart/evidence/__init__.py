"""Evidence: metrics with intervals, baselines, verification, comparisons and verdicts."""

from headstart.evidence.baselines import ClassicalModel, fit_classical, majority
from headstart.evidence.classical_features import ClassicalFeatures, classical_features
from headstart.evidence.compare import Verdict, accuracy_difference, verdict
from headstart.evidence.intervals import Interval, standard_error
from headstart.evidence.metrics import metrics
from headstart.evidence.tables import Bin, calibration_bins, confusion_matrix
from headstart.evidence.verification import Verification, verification

__all__ = [
    "Bin",
    "ClassicalFeatures",
    "ClassicalModel",
    "Interval",
    "Verdict",
    "Verification",
    "accuracy_difference",
    "calibration_bins",
    "classical_features",
    "confusion_matrix",
    "fit_classical",
    "majority",
    "metrics",
    "standard_error",
    "verdict",
    "verification",
]
