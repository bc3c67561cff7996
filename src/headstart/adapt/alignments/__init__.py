"""Alignments of two domains, one module each. To add one, write its module and name it here."""

from __future__ import annotations

from headstart.adapt.alignments.alignment import Alignment
from headstart.adapt.alignments.standardise import NONE, STANDARDISE

ALIGNMENTS: dict[str, Alignment] = {alignment.name: alignment for alignment in (NONE, STANDARDISE)}

__all__ = ["ALIGNMENTS", "NONE", "Alignment"]
