"""Evidence: baselines, verification, paired comparisons and verdicts."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.evidence.baselines import ClassicalModel, fit_classical, items_to_learn_from, majority
    from headstart.evidence.classical_features import ClassicalFeatures, extract_classical
    from headstart.evidence.embeddings import ChosenEmbedding, Division, choose_embedding
    from headstart.evidence.folds import cross_validation_factor
    from headstart.evidence.out_of_fold import (
        OutOfFold,
        best_on_folds,
        majority_on_folds,
    )
    from headstart.evidence.seen import WithoutSeen, without_seen
    from headstart.evidence.shift import Mean, Shift, mean_quality, shifted
    from headstart.evidence.verdict import Outcome, Verdict, compared, judge
    from headstart.evidence.verification import Verification, verify_speakers

_HOMES = {
    "ChosenEmbedding": "embeddings",
    "ClassicalFeatures": "classical_features",
    "ClassicalModel": "baselines",
    "Division": "embeddings",
    "Mean": "shift",
    "OutOfFold": "out_of_fold",
    "Outcome": "verdict",
    "Shift": "shift",
    "Verdict": "verdict",
    "Verification": "verification",
    "best_on_folds": "out_of_fold",
    "WithoutSeen": "seen",
    "choose_embedding": "embeddings",
    "cross_validation_factor": "folds",
    "extract_classical": "classical_features",
    "fit_classical": "baselines",
    "items_to_learn_from": "baselines",
    "compared": "verdict",
    "judge": "verdict",
    "majority": "baselines",
    "majority_on_folds": "out_of_fold",
    "mean_quality": "shift",
    "shifted": "shift",
    "verify_speakers": "verification",
    "without_seen": "seen",
}

__all__ = [
    "ChosenEmbedding",
    "ClassicalFeatures",
    "ClassicalModel",
    "Division",
    "Mean",
    "OutOfFold",
    "Outcome",
    "Shift",
    "Verdict",
    "Verification",
    "WithoutSeen",
    "best_on_folds",
    "choose_embedding",
    "compared",
    "cross_validation_factor",
    "extract_classical",
    "fit_classical",
    "items_to_learn_from",
    "judge",
    "majority",
    "majority_on_folds",
    "mean_quality",
    "shifted",
    "verify_speakers",
    "without_seen",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: baselines need torch, reading a verdict does not."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
