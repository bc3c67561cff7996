"""Evidence: baselines, verification, paired comparisons and verdicts."""

from headstart.evidence.baselines import ClassicalModel, fit_classical, majority
from headstart.evidence.classical_features import ClassicalFeatures, classical_features
from headstart.evidence.tasks import task_metrics
from headstart.evidence.verdict import Verdict, accuracy_difference, loss_difference, verdict
from headstart.evidence.verification import Verification, verification

__all__ = [
    "ClassicalFeatures",
    "ClassicalModel",
    "Verdict",
    "Verification",
    "accuracy_difference",
    "classical_features",
    "fit_classical",
    "loss_difference",
    "majority",
    "task_metrics",
    "verdict",
    "verification",
]
