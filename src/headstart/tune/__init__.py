"""Train what a freeze policy leaves free: policies, recipes, the loop, and the race among policies."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.tune.feeds.part import Part
    from headstart.tune.policies.freeze import Freeze
    from headstart.tune.policies.policy import Policy
    from headstart.tune.race.choice import AutoChoice, Candidate
    from headstart.tune.race.entrants import Entrant, from_scratch, suggest_cuts, suggest_entrants
    from headstart.tune.race.race import Race
    from headstart.tune.race.runner import Judge
    from headstart.tune.recipes.recipe import Recipe
    from headstart.tune.training.result import Score, Trained
    from headstart.tune.training.training import Training

# Names are imported when they are first used: the help of `--freeze` reads the catalogue of policies without torch.
_HOMES = {
    "AutoChoice": "headstart.tune.race.choice",
    "Candidate": "headstart.tune.race.choice",
    "Entrant": "headstart.tune.race.entrants",
    "Freeze": "headstart.tune.policies.freeze",
    "Judge": "headstart.tune.race.runner",
    "Part": "headstart.tune.feeds.part",
    "Policy": "headstart.tune.policies.policy",
    "Race": "headstart.tune.race.race",
    "Recipe": "headstart.tune.recipes.recipe",
    "Score": "headstart.tune.training.result",
    "Training": "headstart.tune.training.training",
    "Trained": "headstart.tune.training.result",
    "from_scratch": "headstart.tune.race.entrants",
    "suggest_cuts": "headstart.tune.race.entrants",
    "suggest_entrants": "headstart.tune.race.entrants",
}

__all__ = [
    "AutoChoice",
    "Candidate",
    "Entrant",
    "Freeze",
    "Judge",
    "Part",
    "Policy",
    "Race",
    "Recipe",
    "Score",
    "Trained",
    "Training",
    "from_scratch",
    "suggest_cuts",
    "suggest_entrants",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'headstart.tune' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
