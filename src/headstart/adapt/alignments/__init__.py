"""Alignments of two domains, one module each. To add one, write its module and name it here."""

from __future__ import annotations

from headstart.adapt.alignments.alignment import Alignment
from headstart.adapt.alignments.class_ot import CLASS_OT
from headstart.adapt.alignments.coral import CORAL
from headstart.adapt.alignments.linear_ot import LINEAR_OT
from headstart.adapt.alignments.standardise import NONE, STANDARDISE
from headstart.adapt.alignments.subspace import SUBSPACE

ALIGNMENTS: dict[str, Alignment] = {
    alignment.name: alignment for alignment in (NONE, STANDARDISE, CORAL, LINEAR_OT, SUBSPACE, CLASS_OT)
}

__all__ = ["ALIGNMENTS", "NONE", "Alignment"]
