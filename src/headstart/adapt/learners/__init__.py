"""Learners of a linear classifier, one module each. To add one, write its module and name it here."""

from __future__ import annotations

from headstart.adapt.learners.learner import Learner
from headstart.adapt.learners.logistic import LOGISTIC

LEARNERS: dict[str, Learner] = {learner.name: learner for learner in (LOGISTIC,)}

__all__ = ["LEARNERS", "LOGISTIC", "Learner"]
