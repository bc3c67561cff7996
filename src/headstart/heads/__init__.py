"""Heads on pooled features, their calibration, and speaker verification."""

from headstart.heads.calibrate import fit_temperature
from headstart.heads.head import Head
from headstart.heads.linear import LinearHead, LinearHeadModule

__all__ = ["Head", "LinearHead", "LinearHeadModule", "fit_temperature"]
