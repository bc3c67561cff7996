"""Train what a freeze policy leaves free: policies, recipes, the loop, and the choice among policies."""

from headstart.tune.choice import AutoChoice, Candidate
from headstart.tune.entrants import Entrant, from_scratch, suggest_cuts, suggest_entrants
from headstart.tune.feeding import Part
from headstart.tune.freeze import Freeze
from headstart.tune.policy import Policy
from headstart.tune.race import Race
from headstart.tune.recipe import Recipe
from headstart.tune.result import Score, Tuned
from headstart.tune.runner import Judge
from headstart.tune.train import Training

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
    "Training",
    "Tuned",
    "from_scratch",
    "suggest_cuts",
    "suggest_entrants",
]
