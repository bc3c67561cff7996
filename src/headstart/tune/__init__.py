"""Train the parts that a freeze policy does not freeze: policies, recipes, the loop, and the race of policies."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.tune.feeds.part import Part
    from headstart.tune.objectives.validation import Score
    from headstart.tune.policies.freeze import Freeze
    from headstart.tune.policies.policy import Policy
    from headstart.tune.race.candidates import Candidate, from_scratch, suggest_candidates, suggest_cuts
    from headstart.tune.race.comparison import ValidationItems
    from headstart.tune.race.race import Race
    from headstart.tune.race.result import CandidateResult, RaceResult
    from headstart.tune.recipes.recipe import Recipe
    from headstart.tune.training.result import Trained
    from headstart.tune.training.training import Training

# Names are imported when they are first used: the help of `--freeze` reads the catalogue of policies without torch.
_HOMES = {
    "Candidate": "headstart.tune.race.candidates",
    "CandidateResult": "headstart.tune.race.result",
    "Freeze": "headstart.tune.policies.freeze",
    "Part": "headstart.tune.feeds.part",
    "Policy": "headstart.tune.policies.policy",
    "Race": "headstart.tune.race.race",
    "RaceResult": "headstart.tune.race.result",
    "Recipe": "headstart.tune.recipes.recipe",
    "Score": "headstart.tune.objectives.validation",
    "Trained": "headstart.tune.training.result",
    "Training": "headstart.tune.training.training",
    "ValidationItems": "headstart.tune.race.comparison",
    "from_scratch": "headstart.tune.race.candidates",
    "suggest_candidates": "headstart.tune.race.candidates",
    "suggest_cuts": "headstart.tune.race.candidates",
}

__all__ = [
    "Candidate",
    "CandidateResult",
    "Freeze",
    "Part",
    "Policy",
    "Race",
    "RaceResult",
    "Recipe",
    "Score",
    "Trained",
    "Training",
    "ValidationItems",
    "from_scratch",
    "suggest_candidates",
    "suggest_cuts",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'headstart.tune' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
