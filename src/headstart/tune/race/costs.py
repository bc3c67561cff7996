"""What the candidates of a race cost: measured if possible, else estimated from the time of one forward pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from headstart.tune.race.study import Facts

_LIVE_EPOCH = 3.0  # an epoch without a stored prefix is a forward and a backward pass: three forward passes


@dataclass(frozen=True)
class Cost:
    """What one candidate costs.

    Attributes:
        epoch_seconds: an epoch with its validation.
        again_seconds: an epoch of the training on all items that may follow.
        prepare_seconds: before the first step of that training.
    """

    epoch_seconds: float
    again_seconds: float = 0.0
    prepare_seconds: float = 0.0

    def again(self, n_epochs: int) -> float:
        """Seconds of the training on all items."""
        return self.prepare_seconds + self.again_seconds * n_epochs


@dataclass(frozen=True)
class Costs:
    """How the costs of a race are estimated.

    Attributes:
        pass_seconds: time of one forward pass over the training items.
        retrains: whether the winner may be trained again on training and validation items.
        growth: items of that training over those of the others.
        grouped: whether items come in groups. Then time is reserved for that training, which helps most
            there, since it adds groups that were not seen (docs/race.md); otherwise it adds few items, and more
            epochs of the candidates themselves give more.
    """

    pass_seconds: float
    retrains: bool
    growth: float
    grouped: bool

    def planned(self, facts: Facts) -> Cost:
        """What time is kept free for."""
        return self.with_retraining(facts) if self.grouped else Cost(facts.epoch_seconds)

    def with_retraining(self, facts: Facts) -> Cost:
        """The whole cost of a candidate that is trained again at the end."""
        if not self.retrains:
            return Cost(facts.epoch_seconds)
        return Cost(
            facts.epoch_seconds, facts.epoch_seconds * self.growth, facts.prepare_seconds * self.growth
        )

    def live_epoch(self) -> float:
        """Seconds of an epoch without a stored prefix, estimated from a forward pass."""
        return _LIVE_EPOCH * self.pass_seconds

    def of_all_stages(self, live: Iterable[Facts], measured: Iterable[Facts]) -> Facts:
        """The facts of a training of the whole network that was not measured.

        Args:
            live: of the candidates without a frozen prefix that were measured.
            measured: of all candidates that were measured.
        """
        seconds = max([self.live_epoch(), *(facts.epoch_seconds for facts in live)])
        wanted = max((facts.wanted for facts in measured), default=1)
        return Facts(wanted=wanted, epoch_seconds=seconds, prepare_seconds=seconds / 2)


def in_seconds(seconds: float) -> str:
    """Seconds in words: one decimal below ten.

    >>> in_seconds(123.4), in_seconds(1.234)
    ('123 s', '1.2 s')
    """
    return f"{max(seconds, 0.0):.{0 if seconds >= 10 else 1}f} s"
