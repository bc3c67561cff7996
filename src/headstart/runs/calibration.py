"""What a calibration found: the block `recalibration` of metrics.json, and what its report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from headstart.metrics import Interval

RECALIBRATION = "recalibration"  # key of metrics.json; `calibration` is the temperature of a fit

Outcome = Literal["corrected", "right", "undecided"]
Scores = Mapping[str, Interval]


@dataclass(frozen=True)
class CandidateRow:
    """A correction that was tried.

    Attributes:
        name: what is fitted.
        temperature: fitted to all items.
        log_loss: cross-validated, the mean over the items.
        change: of the log loss by it, paired; below 0 it helps.
    """

    name: str
    temperature: float
    log_loss: float
    change: Interval


@dataclass(frozen=True)
class CalibrationFacts:
    """A correction of a finished run's probabilities, or the reason why there is none.

    Attributes:
        run: folder of the run that was calibrated, as the user named it.
        outcome: "corrected"; "right": at most a little could be gained; "undecided": the items cannot tell.
        sentence: the result in one sentence.
        method: name of the candidate that was chosen; "" for none.
        temperature: of the correction; 1 for none.
        biases: class or label to its bias; empty for a temperature alone.
        kept: classes or labels whose bias stays 0, as the items say nothing about it.
        candidates: everything that was tried.
        before: metric to the score of the run as it was.
        after: metric to the cross-validated score with the correction; empty without one.
        change: metric to its paired change; empty without a correction.
        n_items: items that the correction was fitted to.
        n_changed: how many of them are answered differently, each by a correction that did not learn from it.
        n_folds: of the cross-validation.
        n_learned: items that the run has learned from: they are left out; None: not known.
        n_shared: items that the run was scored on, or adapted to, before.
        unknown: class or label that the run does not know to its number of items, which are left out.
        difference: largest difference between a probability of the new model.pt2 and the correction of the old one's,
            on some of the items; None without a correction.
        warnings: what a reader must know before trusting the result.
        notes: what else counts.
    """

    run: str
    outcome: Outcome
    sentence: str
    method: str
    temperature: float
    biases: Mapping[str, float]
    kept: Sequence[str]
    candidates: Sequence[CandidateRow]
    before: Scores
    after: Scores
    change: Scores
    n_items: int
    n_changed: int
    n_folds: int
    n_learned: int | None = 0
    n_shared: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    difference: float | None = None
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """The block of metrics.json."""
        scores = {name: _scores_json(getattr(self, name)) for name in ("before", "after", "change")}
        candidates = [
            {
                "name": each.name,
                "temperature": each.temperature,
                "log_loss": each.log_loss,
                "change": each.change.to_json(),
            }
            for each in self.candidates
        ]
        same = ("run", "outcome", "sentence", "method", "temperature", "n_items", "n_changed", "n_folds")
        return {
            **{name: getattr(self, name) for name in same},
            "biases": dict(self.biases),
            "kept": list(self.kept),
            "candidates": candidates,
            **scores,
            "n_learned": self.n_learned,
            "n_shared": self.n_shared,
            "unknown": dict(self.unknown),
            "difference": self.difference,
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }


def _scores_json(scores: Scores) -> dict[str, Any]:
    return {name: score.to_json() for name, score in scores.items()}
