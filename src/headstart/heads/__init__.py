"""Heads: linear heads on pooled features, their calibration, and speaker verification."""

from headstart.heads.calibrate import fit_temperature
from headstart.heads.linear import LinearHead, LinearHeadModule

__all__ = ["LinearHead", "LinearHeadModule", "fit_temperature"]
