"""The result of a fit: a network with a head, and what they were chosen from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.heads import Head
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
        choice: the depth profile and the head alone, the reference of every policy.
        n_train, n_validation: items learned from, and set aside for choices.
        trained: the training, if any, also if its result was not returned.
        race: the race among policies, for `auto`.
        reason: why this result was returned, in a sentence.
        refit: the same learned again from every label after the evaluation, which is what the run predicts with;
            None: nothing was learned again.
    """

    source: Source
    head: Head
    policy: str
    cut: int
    choice: Choice
    n_train: int
    n_validation: int = 0
    trained: Trained | None = None
    race: RaceResult | None = None
    reason: str = ""
    refit: Result | None = None

    @classmethod
    def head_alone(cls, source: Source, choice: Choice, n_train: int, reason: str, **more: Any) -> Result:
        """The head alone as the result, on the unchanged source.

        Args:
            source: unchanged.
            choice: has the head.
            n_train: items that head was learned from.
            reason: why it was taken.
            more: `n_validation`, `trained` and `race`, if there were any.
        """
        return cls(source, choice.head, "all", len(source.stages), choice, n_train, reason=reason, **more)

    @property
    def final(self) -> Result:
        """What the run predicts with."""
        return self.refit or self

    @property
    def is_trained(self) -> bool:
        """Whether the network's weights were trained."""
        return self.trained is not None and self.policy != "all"


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
