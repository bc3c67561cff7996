"""The result of a fit: a network with a head, and what they were chosen from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.fitting.classical import FittedBaseline
    from headstart.fitting.guard import Guard
    from headstart.heads import Head
    from headstart.runs.foreseen import Foreseen
    from headstart.sources import Source
    from headstart.tune import RaceResult, Trained


@dataclass(frozen=True, eq=False)
class Result:
    """A network with a head, and what they were chosen from.

    Attributes:
        source: with the trained weights, or unchanged.
        head: the linear head on the pooled stages.
        policy: what was frozen in the result.
        cut: the number of frozen stages.
        choice: the depth profile and the head alone, the reference of every policy; from the same items.
        learned_from: positions of the items that the weights were learned from, of shape (n_train,).
        n_validation: items set aside for choices.
        trained: the training, if any, also if its result was not returned.
        race: the race among policies, for `auto`.
        raced_on: positions of the items that the candidates of the race learned from; None without a race.
        compared_on: positions of the validation items that a training, or the candidates of a race, were compared on.
        reason: why this result was returned, in a sentence.
        foreseen: the head alone beside classical features, compared before anything was trained; None: not compared.
        guard: whether classical features are returned in the place of this result; None: it was not asked for.
        refit: the same learned again from every label after the evaluation, which is what the run predicts with;
            None: nothing was learned again.
    """

    source: Source
    head: Head
    policy: str
    cut: int
    choice: Choice
    learned_from: np.ndarray
    n_validation: int = 0
    trained: Trained | None = None
    race: RaceResult | None = None
    raced_on: np.ndarray | None = None
    compared_on: np.ndarray | None = None
    reason: str = ""
    foreseen: Foreseen | None = None
    guard: Guard | None = None
    refit: Result | None = None

    @classmethod
    def head_alone(
        cls, source: Source, choice: Choice, learned_from: np.ndarray, reason: str, **more: Any
    ) -> Result:
        """The head alone as the result, on the unchanged source.

        Args:
            source: unchanged.
            choice: has the head.
            learned_from: positions of the items that head was learned from.
            reason: why it was taken.
            more: `n_validation`, `trained`, `race`, `raced_on` and `compared_on`, if there were any.
        """
        return cls(
            source, choice.head, "all", len(source.stages), choice, learned_from, reason=reason, **more
        )

    @property
    def n_train(self) -> int:
        """The number of items learned from."""
        return len(self.learned_from)

    @property
    def classical(self) -> FittedBaseline | None:
        """The classical baseline that is returned in the place of this result, if any."""
        return None if self.guard is None else self.guard.fitted

    @property
    def final(self) -> Result:
        """What the run predicts with."""
        return self.refit or self

    @property
    def is_trained(self) -> bool:
        """Whether the network's weights were trained."""
        return self.trained is not None and self.policy != "all"

    @property
    def gives_log_probabilities(self) -> bool:
        """Whether the head's scores are log probabilities before the temperature too; a ridge head's are not."""
        from headstart.choose.kinds import KINDS

        return self.is_trained or KINDS[self.choice.chosen.kind].log_probabilities


def source_with(source: Source, weights: Mapping[str, Any]) -> Source:
    """A source with other weights of the same network, under a digest of their own."""
    import copy

    network = copy.deepcopy(source.network)
    network.load_state_dict(weights)
    network.eval()
    whole = hashlib.sha256(source.digest.encode())
    for name, tensor in weights.items():
        whole.update(name.encode())
        whole.update(tensor.contiguous().view(-1).numpy().tobytes())
    return replace(source, network=network, digest=whole.hexdigest())
