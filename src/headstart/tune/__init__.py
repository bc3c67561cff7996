"""Train what a freeze policy leaves free: policies, recipes, the loop, and the choice among policies."""

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
