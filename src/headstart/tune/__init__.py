"""Train what a freeze policy leaves free: policies, recipes, the loop, and the choice among policies."""

from headstart.tune.auto import AutoChoice, Candidate, choose_policy, suggest_cuts
from headstart.tune.freeze import Freeze
from headstart.tune.policy import Policy
from headstart.tune.recipe import Recipe
from headstart.tune.result import Score, Tuned
from headstart.tune.train import Part, Training

__all__ = [
    "AutoChoice",
    "Candidate",
    "Freeze",
    "Part",
    "Policy",
    "Recipe",
    "Score",
    "Training",
    "Tuned",
    "choose_policy",
    "suggest_cuts",
]
