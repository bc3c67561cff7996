"""What every method of an adaptation starts from: features of both domains, and the head of the source domain.

Legend: N source items, M target items, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headstart.adapt import Domains, LinearClassifier
from headstart.adapting.pair import Target
from headstart.fitting import head_alone
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.sources import Source


@dataclass(frozen=True, eq=False)
class View:
    """Features of both domains by one network, or by two that differ in their batch-norm statistics.

    Attributes:
        source: the network that the target's items are read with: it predicts in the end.
        domains: features of the source items, and of the target items that are adapted on.
        target_MD: features of all target items.
    """

    source: Source
    domains: Domains
    target_MD: np.ndarray


@dataclass(frozen=True, eq=False)
class Ground:
    """The source domain learned, and both domains' features.

    Attributes:
        workspace: of the source domain, every item of which is learned from.
        source_name: of that domain.
        target: the target's items.
        choice: the head alone on the source: depth, head and penalty, by cross-validation there.
        penalty: of a logistic regression on the same features, per item.
        plain: features by the source's own network.
    """

    workspace: Workspace
    source_name: str
    target: Target
    choice: Choice
    penalty: float
    plain: View

    @classmethod
    def of(cls, workspace: Workspace, source_name: str, target: Target) -> Ground:
        """Extract the target's features, and choose the head of the source domain.

        Args:
            workspace: of the source domain.
            source_name: of that domain.
            target: the target's items.
        """
        source = workspace.plan.source
        with workspace.clock.phase("features"):
            features = workspace.extract(source, target.data.examples.items, target.data.scan.digests)
        choice = head_alone.choose(workspace, np.arange(len(workspace.plan.data)))
        with workspace.clock.phase("head"):
            penalty = _penalty(workspace, choice)
        stages = choice.head.stages
        view = _view(
            workspace,
            source,
            workspace.features.stacked(stages),
            features.stacked(stages),
            target,
            penalty,
        )
        return cls(workspace, source_name, target, choice, penalty, view)

    @property
    def stages(self) -> tuple[int, ...]:
        """Indices of the stages that every method reads."""
        return self.choice.head.stages

    @property
    def classes(self) -> Sequence[str]:
        """Names of the C classes."""
        return self.workspace.classes

    @property
    def source_only(self) -> LinearClassifier:
        """What a fit of the source domain predicts with."""
        folded = self.choice.head.folded()
        assert folded is not None  # heads of classes are linear
        return LinearClassifier(
            folded.weight.numpy().astype(np.float64), folded.bias.numpy().astype(np.float64)
        )


def _view(
    workspace: Workspace,
    source: Source,
    source_ND: np.ndarray,
    target_MD: np.ndarray,
    target: Target,
    penalty: float,
) -> View:
    domains = Domains(
        source_ND,
        workspace.codes,
        target_MD[target.adapted],
        len(workspace.classes),
        penalty,
        groups_N=workspace.units(np.arange(len(source_ND))),
        seed=workspace.plan.seed,
    )
    return View(source, domains, target_MD)


def _penalty(workspace: Workspace, choice: Choice) -> float:
    """The penalty of a logistic head on the chosen stages: the chosen head's, or found on the same folds."""
    from headstart.choose.head import LONE_PENALTY
    from headstart.choose.kinds import LOGISTIC
    from headstart.choose.tried_head import Trial
    from headstart.heads.reduce import reduce, standardiser

    stages = choice.head.stages
    found = [each for each in choice.tried_heads if each.stages == stages and each.kind == LOGISTIC.name]
    if found:
        return found[0].penalty
    if not len(choice.positions):
        return LONE_PENALTY
    x_ND = workspace.features.take(choice.positions).stacked(stages)
    trial = Trial(
        workspace.targets.task,
        workspace.codes[choice.positions],
        len(workspace.classes),
        choice.folds,
        workspace.units(choice.positions),
    )
    tried = LOGISTIC.score(reduce(x_ND, standardiser(x_ND)), trial, stages)
    return LONE_PENALTY if tried is None else tried.penalty
