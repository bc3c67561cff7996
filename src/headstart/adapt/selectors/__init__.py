"""Selectors: how good a method is without target labels, one module each. To add one, write it and name it here.

| selector | needs | time per candidate |
|---|---|---|
| circular | one fit on the target | one fit |
| importance, dev | source items held out | a fit on each fold |
| nuclear, infomax, class_ami | predictions for the target | none |
"""

from __future__ import annotations

from headstart.adapt.selectors.candidate import Candidate, Comparison
from headstart.adapt.selectors.circular import CIRCULAR
from headstart.adapt.selectors.class_ami import CLASS_AMI
from headstart.adapt.selectors.dev import DEV
from headstart.adapt.selectors.importance import IMPORTANCE
from headstart.adapt.selectors.predictions import INFOMAX, NUCLEAR_NORM
from headstart.adapt.selectors.selector import Selector

SELECTORS: dict[str, Selector] = {
    selector.name: selector for selector in (CIRCULAR, IMPORTANCE, DEV, NUCLEAR_NORM, INFOMAX, CLASS_AMI)
}

__all__ = ["CIRCULAR", "SELECTORS", "Candidate", "Comparison", "Selector"]
