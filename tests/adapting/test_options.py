"""The names of methods in options are those of the parts."""

from __future__ import annotations

from headstart.adapt.alignments import ALIGNMENTS
from headstart.adapt.catalogue import BATCH_NORM
from headstart.adapt.label_shift.correction import CORRECTIONS
from headstart.adapt.learners import LEARNERS, LOGISTIC
from headstart.adapting.method_names import PARTS


def test_help_names_every_part() -> None:
    learners = [name for name in LEARNERS if name != LOGISTIC.name]
    assert (*ALIGNMENTS, *learners, *CORRECTIONS, BATCH_NORM) == PARTS
