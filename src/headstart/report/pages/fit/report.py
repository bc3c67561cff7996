"""`FitReport`: what the report of a fit is made from. Nothing here is computed or read from disk.

Legend: N held-out items, C outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from headstart.choose import ProfileRow
from headstart.evidence import Shift
from headstart.metrics import Interval, Units
from headstart.report.reported import Reported
from headstart.runs import SourceFacts, SplitPart
from headstart.runs.label_check import LabelCheck
from headstart.tasks import Targets, task_named
from headstart.tune import CandidateResult


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The items that were not learned from, and what the result gave for them.

    Attributes:
        items: N paths, texts or pictures.
        names: (N,) relative path or row of each.
        labels: (N,) what is true, as text.
        codes: the same as numbers, as `Targets.encode` returns them.
        outputs: (N, C) probabilities, or values of a quantity.
        units: what belongs together among them; None: every item is a unit of its own.
    """

    items: Sequence[Any] = ()
    names: Sequence[str] = ()
    labels: Sequence[str] = ()
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    outputs: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    units: Units | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class FitReport(Reported):
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
    """

    held_out: HeldOut = field(default_factory=HeldOut)
    profile: Sequence[ProfileRow] = ()
    shift: Shift | None = None
    candidates: Sequence[CandidateResult] = ()
    history: Sequence[Mapping[str, Any]] = ()
    after_training: str = ""
    quality: str = "accuracy"
    next_command: str = ""
    checked: LabelCheck | None = None
    suspects: Sequence[Any] = ()

    @cached_property
    def targets(self) -> Targets:
        """The task with the names of its outputs."""
        return Targets(task_named(self.record.task), self.facts.classes or (self.data.target,))

    @property
    def source(self) -> SourceFacts:
        """The pretrained network."""
        if self.record.source is None:
            raise ValueError("the report of a fit needs a record with a source")
        return self.record.source

    @property
    def headline(self) -> str:
        """The metric that leads the report."""
        return self.targets.task.headline

    @property
    def head_stages(self) -> tuple[str, ...]:
        """The stages that the head reads."""
        return () if self.record.chosen is None else self.record.chosen.head_stages

    @property
    def trained_stages(self) -> tuple[str, ...]:
        """The stages whose weights were trained; none for a frozen network."""
        return () if self.record.chosen is None else self.record.chosen.trained_stages

    def score(self, metric: str) -> Interval | None:
        """The held-out score of a metric; None if it is not defined."""
        return _defined((self.record.test or {}).get(metric))

    def baseline(self, name: str, metric: str) -> Interval | None:
        """A baseline's held-out score of a metric; None if it is not defined."""
        return _defined((self.record.baselines or {}).get(name, {}).get(metric))

    def verification(self, metric: str) -> Interval | None:
        """The score of a metric of speaker verification; None if it is not defined."""
        return _defined((self.record.verification or {}).get(metric))

    def difference(self, baseline: str) -> Interval | None:
        """The paired difference of the run from a baseline in the verdict's metric; None if it was not measured."""
        return _defined(Interval.of((self.record.extra.get("baselines_difference") or {}).get(baseline)))

    def learned_from(self, name: str) -> int | None:
        """How many items the "result" or a baseline was learned from; None if that is not known."""
        found: int | None = (self.record.extra.get("learned_from") or {}).get(name)
        return found

    @property
    def measured(self) -> SplitPart | None:
        """The part of the data that the scores were measured on; None if that is not known."""
        name = "train" if self.record.n_folds else "test"
        return next((part for part in self.facts.parts if part.name == name), None)

    @property
    def n_units(self) -> int:
        """How many independent units the scores rest on: groups, or held-out items without their copies."""
        part, n_test = self.measured, self.record.n_test or 0
        known = () if part is None else (part.n_units, part.n_groups)
        return next((n_units for n_units in known if n_units is not None), n_test)

    def n_trained_on(self, name: str) -> int | None:
        """How many training items have a class or label; None if that is not known."""
        return next((part.counts for part in self.facts.parts if part.name == "train"), {}).get(name)


def _defined(score: Interval | None) -> Interval | None:
    return None if score is None or score.value is None else score
