"""What a race tries: the cuts that the depth profile suggests, adapters, all stages, other rates, and from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.tune.policies.policy import Policy

OTHER_RATES = (3.0, 1 / 3)  # tried in addition to the recipe's own rate if time is left
_LORA = "lora:8"
_RATE_FROM_SCRATCH = 10.0  # random weights need larger steps


@dataclass(frozen=True)
class Candidate:
    """One way of training, before it is tried.

    Attributes:
        policy: what is frozen.
        rate_factor: what the recipe's rates for the policy are multiplied by.
        from_scratch: whether it starts from random weights.
    """

    policy: Policy
    rate_factor: float = 1.0
    from_scratch: bool = False

    @property
    def name(self) -> str:
        """Its name in tables: the policy, and the rate if it is not the recipe's."""
        if self.from_scratch:
            return "scratch"
        if self.rate_factor == 1:
            return self.policy.text
        return f"{self.policy.text} at {self.rate_factor:.2g}x the rate"

    def at(self, factor: float) -> Candidate:
        """The same at another rate."""
        return replace(self, rate_factor=self.rate_factor * factor)


def suggest_cuts(profile: Sequence[float]) -> list[int]:
    """The cuts worth trying by a depth profile, the cheapest first.

    The stages up to the best one of the profile already suit the task, so they are frozen and the rest is
    trained; the second cut keeps half of those. At least the last stage trains.

    Args:
        profile: one score per stage, higher is better; empty if too few items were left to score.
    """
    n_stages = len(profile)
    if not n_stages:
        return []
    best = n_stages - 1 - int(np.argmax(np.asarray(profile)[::-1]))
    first = min(best + 1, n_stages - 1)
    return sorted({cut for cut in (first, first // 2) if cut >= 1}, reverse=True)


def suggest_candidates(profile: Sequence[float], stages: Sequence[str]) -> list[Candidate]:
    """The candidates of a race, in the order in which they are given time.

    Each starts from the fitted head (LP-FT). Adapters come after the smaller of the suggested cuts.

    Args:
        profile: one score per stage, higher is better.
        stages: names of the stages.
    """
    cuts = suggest_cuts(profile)
    whole = [Candidate(Policy.at(cut, stages)) for cut in (*cuts, 0)]
    adapters = Policy.at(cuts[-1] if cuts else 0, stages, then=_LORA)
    return [*whole, Candidate(adapters)]


def from_scratch(stages: Sequence[str]) -> Candidate:
    """The whole network, from random weights."""
    return Candidate(Policy.at(0, stages), rate_factor=_RATE_FROM_SCRATCH, from_scratch=True)
