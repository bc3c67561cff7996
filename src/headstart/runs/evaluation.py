"""What an evaluation found: the block `evaluation` of metrics.json, and what its report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from headstart.metrics import Interval

Outcome = Literal["better", "worse", "undecided", ""]


@dataclass(frozen=True)
class EvaluationFacts:
    """A finished run on new labelled items.

    Attributes:
        run: folder of the run that was evaluated, as the user named it.
        metric: key of the metric by which both scores are compared.
        sentence: the result in one sentence.
        own: metric to the run's own score, on items that it did not learn from; empty if it has none.
        n_own: number of those items.
        change: metric to the new score minus the own one; empty where both were measured on some of the same items.
        outcome: whether the run does better or worse here, beyond chance; "" if that is not compared.
        n_learned: items that the run has learned from: they are left out; None: not known.
        n_shared: scored items that the run was scored on, or adapted to, before.
        unknown: class or label that the run does not know to its number of items.
        n_known: items of known classes alone.
        known: score of the metric on these; None if all are, or none.
        warnings: what a reader must know before trusting the score.
        notes: what else counts.
    """

    run: str
    metric: str
    sentence: str
    own: Mapping[str, Interval]
    n_own: int
    change: Mapping[str, Interval]
    outcome: Outcome
    n_learned: int | None = 0
    n_shared: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    n_known: int = 0
    known: Interval | None = None
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """The block of metrics.json."""
        return {
            "run": self.run,
            "metric": self.metric,
            "sentence": self.sentence,
            "own": {name: score.to_json() for name, score in self.own.items()},
            "n_own": self.n_own,
            "change": {name: score.to_json() for name, score in self.change.items()},
            "outcome": self.outcome,
            "n_learned": self.n_learned,
            "n_shared": self.n_shared,
            "unknown": dict(self.unknown),
            "n_known": self.n_known,
            "known": None if self.known is None else self.known.to_json(),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }
