"""`Audit`: what `audit` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headstart.runs.audit import AuditFacts
from headstart.runs.finished import Finished

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Audit(Finished):
    """A finished audit.

    Attributes:
        facts: what was found.
    """

    facts: AuditFacts = field(repr=False)

    @property
    def verdict(self) -> str:
        """ "positive", "negative" or "undecided", with all labels."""
        return self.facts.final.outcome

    @property
    def table(self) -> pandas.DataFrame:
        """One row per method and number of labels, with the columns of curves.csv."""
        import pandas

        return pandas.DataFrame(rows(self.facts))


def rows(facts: AuditFacts) -> list[dict[str, Any]]:
    """One row per method and number of labels: the columns of curves.csv."""
    verdicts = {each.n_labels: each for each in facts.verdicts}
    found = []
    for curve in facts.curves:
        for point in curve.points:
            verdict = verdicts[point.n_labels]
            others = {each.n_labels: each.gain for each in facts.others.get(curve.name, ())}
            gain = verdict.gains.get(curve.name) or others.get(point.n_labels)
            found.append(
                {
                    "method": curve.name,
                    "role": curve.role,
                    "labels": point.n_labels,
                    "learned": point.n_learned,
                    "score": point.score.value,
                    "low": point.score.low,
                    "high": point.score.high,
                    "on_training_folds": point.on_folds,
                    "seconds": point.seconds,
                    "seeds": point.n_seeds,
                    "transfer_minus_this": None if gain is None else gain.value,
                    "transfer_minus_this_low": None if gain is None else gain.low,
                    "transfer_minus_this_high": None if gain is None else gain.high,
                    "verdict": verdict.outcome if curve.role == "transfer" else "",
                }
            )
    return found
