"""`FitReport`: what the report of a fit is made from. Nothing here is computed or read from disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.choose import ProfileRow
from headstart.evidence import Shift
from headstart.metrics import Interval
from headstart.report.items.report import MeasuredReport, defined
from headstart.runs import SourceFacts
from headstart.runs.label_check import LabelCheck
from headstart.tune import CandidateResult


@dataclass(frozen=True, eq=False)
class PictureViews:
    """A training picture as the network gets it.

    Attributes:
        name: of the item.
        plain: uint8 of shape (H, W, 3), without augmentation.
        others: the same, augmented.
    """

    name: str
    plain: np.ndarray
    others: Sequence[np.ndarray]


@dataclass(frozen=True, eq=False)
class FitReport(MeasuredReport):
    """A finished fit.

    Attributes:
        record: the content of metrics.json.
        facts: how the run was made, and from which data.
        held_out: the held-out items.
        profile: the depth profile, in the order of the stages.
        shift: the head alone inside the training part and on the held-out part; None if that is not comparable.
        candidates: what a race tried.
        history: one row per epoch, as history.jsonl holds it.
        after_training: what was done with the weights that the training of the history kept, as a clause; "" if they
            were returned as they were.
        quality: key of the metric that epochs and candidates are compared by.
        next_command: offered at the end; "" for none.
        checked: what the check of the labels found; None for a quantity.
        suspects: the items of its first suspects.
        views: what augmentation made of a few training pictures; empty without augmentation.
    """

    profile: Sequence[ProfileRow] = ()
    shift: Shift | None = None
    candidates: Sequence[CandidateResult] = ()
    history: Sequence[Mapping[str, Any]] = ()
    after_training: str = ""
    quality: str = "accuracy"
    next_command: str = ""
    checked: LabelCheck | None = None
    suspects: Sequence[Any] = ()
    views: Sequence[PictureViews] = ()

    @property
    def source(self) -> SourceFacts:
        """The pretrained network."""
        if self.record.source is None:
            raise ValueError("the report of a fit needs a record with a source")
        return self.record.source

    @property
    def head_stages(self) -> tuple[str, ...]:
        """The stages that the head reads."""
        return () if self.record.chosen is None else self.record.chosen.head_stages

    @property
    def trained_stages(self) -> tuple[str, ...]:
        """The stages whose weights were trained; none for a frozen network."""
        return () if self.record.chosen is None else self.record.chosen.trained_stages

    def baseline(self, name: str, metric: str) -> Interval | None:
        """A baseline's held-out score of a metric; None if it is not defined."""
        return defined((self.record.baselines or {}).get(name, {}).get(metric))

    def verification(self, metric: str) -> Interval | None:
        """The score of a metric of speaker verification; None if it is not defined."""
        return defined((self.record.verification or {}).get(metric))

    def difference(self, baseline: str) -> Interval | None:
        """The paired difference of the run from a baseline in the verdict's metric; None if it was not measured."""
        return defined(Interval.of((self.record.extra.get("baselines_difference") or {}).get(baseline)))

    def learned_from(self, name: str) -> int | None:
        """How many items the "result" or a baseline was learned from; None if that is not known."""
        found: int | None = (self.record.extra.get("learned_from") or {}).get(name)
        return found
