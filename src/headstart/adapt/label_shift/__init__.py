"""Label shift: the classes have other shares in the target, each class looks the same. Estimates and corrections."""

from __future__ import annotations

from headstart.adapt.label_shift.estimate import Shares, estimate_shares
from headstart.adapt.label_shift.predictions import Predictions, predict

__all__ = ["Predictions", "Shares", "estimate_shares", "predict"]
