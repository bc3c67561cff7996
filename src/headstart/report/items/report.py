"""`MeasuredReport`: what is known where a result was measured on labelled items that it did not learn from.

Legend: N items, C outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from headstart.metrics import Interval, Units
from headstart.metrics.classification import rarer_class
from headstart.report.reported import Reported
from headstart.run_files import EXPORTED
from headstart.runs import SplitPart
from headstart.runs.decision import Decision
from headstart.tasks import Targets, task_named


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
        answers: (N,) what the result says where a threshold decides, as `Targets.decode` returns it; None: the usual
            way.
    """

    items: Sequence[Any] = ()
    names: Sequence[str] = ()
    labels: Sequence[str] = ()
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    outputs: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    units: Units | None = None
    answers: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class MeasuredReport(Reported):
    """A fit, or the evaluation of a run.

    Attributes:
        record: the content of metrics.json.
        facts: how the run was made, and from which data.
        held_out: the items that it was measured on.
    """

    held_out: HeldOut = field(default_factory=HeldOut)

    @cached_property
    def targets(self) -> Targets:
        """The task with the names of its outputs."""
        return Targets(task_named(self.record.task), self.facts.classes or (self.data.target,))

    @cached_property
    def answers(self) -> np.ndarray:
        """What the result says for each item, as `Targets.decode` returns it, of shape (N,)."""
        held_out = self.held_out
        return self.targets.decode(held_out.outputs) if held_out.answers is None else held_out.answers

    @property
    def decision(self) -> Decision | None:
        """The threshold by which the run answers; None if its answers are the usual ones."""
        return Decision.of(self.record)

    @property
    def headline(self) -> str:
        """The metric that leads the report."""
        return self.targets.task.headline

    @property
    def positive(self) -> int:
        """Of two classes the one whose probability a threshold is set on: the rarer one."""
        return rarer_class(self.held_out.codes)

    def score(self, metric: str) -> Interval | None:
        """The score of a metric on these items; None if it is not defined."""
        return defined((self.record.test or {}).get(metric))

    def why_no_interval(self, score: Interval) -> str:
        """Why a score has no interval, in words; "" if it has one."""
        return score.missing(grouped=self.data.group is not None)

    @property
    def predicts(self) -> str:
        """The folder of the run whose predictions these are, as a command names it; "" if it cannot predict."""
        return "" if self.record.extra.get(EXPORTED) is False else self.facts.run

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


def defined(score: Interval | None) -> Interval | None:
    """A score, or None if it has no value."""
    return None if score is None or score.value is None else score
