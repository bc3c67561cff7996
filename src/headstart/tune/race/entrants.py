"""Who enters a race: the cuts that the depth profile suggests, adapters, all stages, other rates, scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.tune.policies.policy import Policy

RATES = (3.0, 1 / 3)  # tried beside the recipe's own where time allows
_LORA = "lora:8"
_FRESH_RATE = 10.0  # weights of chance take larger steps


@dataclass(frozen=True)
class Entrant:
    """One way of training, before it is tried.

    Attributes:
        policy: what is frozen.
        rate: what the recipe's rates for the policy are multiplied by.
        fresh: whether it starts from weights of chance.
    """

    policy: Policy
    rate: float = 1.0
    fresh: bool = False

    @property
    def name(self) -> str:
        """What it is called in tables: the policy, and the rate where it is not the recipe's."""
        if self.fresh:
            return "scratch"
        return self.policy.text if self.rate == 1 else f"{self.policy.text} at {self.rate:.2g}x the rate"

    def at(self, factor: float) -> Entrant:
        """The same at another rate."""
        return replace(self, rate=self.rate * factor)


def suggest_cuts(profile: Sequence[float]) -> list[int]:
    """The cuts worth trying by a depth profile, the cheapest first.

    The stages up to the best one of the profile already serve the task, so they are kept and the rest is
    trained; the second cut keeps half of those. At least the last stage trains.

    Args:
        profile: a score a stage, higher is better; empty where too few items left nothing to score.
    """
    n_stages = len(profile)
    if not n_stages:
        return []
    best = n_stages - 1 - int(np.argmax(np.asarray(profile)[::-1]))
    first = min(best + 1, n_stages - 1)
    return sorted({cut for cut in (first, first // 2) if cut >= 1}, reverse=True)


def suggest_entrants(profile: Sequence[float], stages: Sequence[str]) -> list[Entrant]:
    """The field of a race, in the order in which its members are given a place.

    Every one starts from the fitted head (LP-FT). Adapters come after the deeper of the suggested cuts.

    Args:
        profile: a score a stage, higher is better.
        stages: names of the stages.
    """
    cuts = suggest_cuts(profile)
    whole = [Entrant(Policy.at(cut, stages)) for cut in (*cuts, 0)]
    adapters = Policy.at(cuts[-1] if cuts else 0, stages, then=_LORA)
    return [*whole, Entrant(adapters)]


def from_scratch(stages: Sequence[str]) -> Entrant:
    """The whole network from weights of chance."""
    return Entrant(Policy.at(0, stages), rate=_FRESH_RATE, fresh=True)
