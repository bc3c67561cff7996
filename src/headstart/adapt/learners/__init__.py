"""Learners of a linear classifier, one module each. To add one, write its module and name it here."""

from __future__ import annotations

from headstart.adapt.learners.infomax import INFOMAX
from headstart.adapt.learners.learner import Learner
from headstart.adapt.learners.logistic import LOGISTIC
from headstart.adapt.learners.mcc import MCC

LEARNERS: dict[str, Learner] = {learner.name: learner for learner in (LOGISTIC, INFOMAX, MCC)}

__all__ = ["LEARNERS", "LOGISTIC", "Learner"]
