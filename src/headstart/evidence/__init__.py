"""Evidence: baselines, verification, paired comparisons and verdicts."""

from headstart.evidence.baselines import ClassicalModel, fit_classical, majority
from headstart.evidence.classical_features import ClassicalFeatures, classical_features
from headstart.evidence.verdict import Verdict, verdict
from headstart.evidence.verification import Verification, verification

__all__ = [
    "ClassicalFeatures",
    "ClassicalModel",
    "Verdict",
    "Verification",
    "classical_features",
    "fit_classical",
    "majority",
    "verdict",
    "verification",
]
