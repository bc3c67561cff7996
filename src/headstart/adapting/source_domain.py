"""What an adaptation knows of its labelled domain: its features and labels, the head that a fit gives, its quality.

Legend: N source items, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.fitting import head_alone
from headstart.fitting.facts import parts_of
from headstart.fitting.workspace import Workspace
from headstart.metrics import Interval

if TYPE_CHECKING:
    from headstart.adapt.summary import FeatureSummary
    from headstart.choose import Choice
    from headstart.data import Finding
    from headstart.features import Features
    from headstart.heads import Head
    from headstart.runs import DataFacts, SplitPart
    from headstart.sources import Source
    from headstart.tasks import Task

Extract = Callable[["Source", Sequence[Any], np.ndarray], "Features"]
"""From a network, items and their digests to features at every stage."""


@dataclass(frozen=True, eq=False)
class SourceDomain:
    """The labelled domain, from a data set or from what a finished run keeps of one.

    Attributes:
        name: of the domain.
        source: the network.
        head: source only: what a fit of the domain predicts with.
        task: what is learned: classes.
        features_ND: of the stages that the head reads, of shape (N, D).
        codes_N: classes of the items, of shape (N,).
        groups_N: what folds keep together, of shape (N,); None: nothing.
        penalty: of a logistic regression on the features, per item.
        n_items: how many items were learned from.
        digests: of their content; empty where they are not known.
        in_domain: the quality of the head on the domain itself.
        profile: stage to the score of a probe there.
        data: the data set, for the record.
        parts: of it.
        split_origin: where they come from.
        findings: what the checks of the data found.
        extract: features of other items.
        seed: random seed.
        workspace: whose items can be read again; None where only a run is known.
        summary: that virtual items were drawn from; None: the features are those of real items.
    """

    name: str
    source: Source
    head: Head
    task: Task
    features_ND: np.ndarray
    codes_N: np.ndarray
    groups_N: np.ndarray | None
    penalty: float
    n_items: int
    digests: np.ndarray
    in_domain: Interval
    profile: Mapping[str, float]
    data: DataFacts
    parts: tuple[SplitPart, ...]
    split_origin: str
    findings: tuple[Finding, ...]
    extract: Extract
    seed: int = 0
    workspace: Workspace | None = None
    summary: FeatureSummary | None = None

    @classmethod
    def labelled(cls, workspace: Workspace, name: str, data: str) -> SourceDomain:
        """Choose depth and head of a labelled data set, by cross-validation on all its items.

        Args:
            workspace: of the data set.
            name: of the domain.
            data: the data set as the user named it.
        """
        from headstart.runs import DataFacts

        everything = np.arange(len(workspace.plan.data))
        choice = head_alone.choose(workspace, everything)
        with workspace.clock.phase("head"):
            penalty = _penalty(workspace, choice)
        plan, examples = workspace.plan, workspace.plan.data.examples
        return cls(
            name=name,
            source=plan.source,
            head=choice.head,
            task=workspace.targets.task,
            features_ND=workspace.features.stacked(choice.head.stages),
            codes_N=workspace.codes,
            groups_N=workspace.units(everything),
            penalty=penalty,
            n_items=len(plan.data),
            digests=plan.data.scan.digests,
            in_domain=choice.interval(),
            profile={row.stage: float(row.score) for row in choice.profile},
            data=DataFacts.of(plan.data, data),
            parts=parts_of(plan.data),
            split_origin=examples.split_origin,
            findings=tuple(plan.findings),
            extract=workspace.extract,
            seed=plan.seed,
            workspace=workspace,
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C classes."""
        return self.head.classes

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of the stages that every method reads."""
        names = tuple(self.source.stages)
        return tuple(names[index] for index in self.head.stages)


def _penalty(workspace: Workspace, choice: Choice) -> float:
    """The penalty of a logistic head on the chosen stages: the chosen head's, or found on the same folds."""
    from headstart.choose.head import LONE_PENALTY
    from headstart.choose.kinds import LOGISTIC
    from headstart.choose.penalty import logistic_penalty
    from headstart.choose.tried_head import Trial

    stages = choice.head.stages
    found = [each for each in choice.tried_heads if each.stages == stages and each.kind == LOGISTIC.name]
    if found:
        return found[0].penalty
    if not len(choice.positions):
        return LONE_PENALTY
    trial = Trial(
        workspace.targets.task,
        workspace.codes[choice.positions],
        len(workspace.classes),
        choice.folds,
        workspace.units(choice.positions),
    )
    return logistic_penalty(workspace.features.take(choice.positions).stacked(stages), trial, stages)
