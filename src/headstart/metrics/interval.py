"""A score with its 95% interval: the one form in which numbers of a run are held, stored and shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Interval:
    """A score with its 95% interval.

    Attributes:
        value: None if it is not defined (a class is absent from the held-out part).
        low, high: None without an interval.
        why: why there is no interval, for a reader; "" if there is one, or none was computed.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    why: str = ""

    @classmethod
    def of(cls, score: Any) -> Interval:
        """Return the interval of a score in any form; numbers that are not finite count as not defined.

        Args:
            score: None, a number, a mapping as `to_json` returns it, or an object with these attributes.
        """
        if score is None or isinstance(score, (int, float)):
            return cls(_finite(score))
        if isinstance(score, Mapping):
            value, low, high = (_finite(score.get(name)) for name in ("value", "low", "high"))
            return cls(value, low, high, str(score.get("why", "")))
        return cls(_finite(score.value), _finite(score.low), _finite(score.high), getattr(score, "why", ""))

    def to_json(self) -> dict[str, float | str | None]:
        """Return {"value", "low", "high"}, and "why" if there is a reason for no interval, as metrics.json holds it."""
        ends: dict[str, float | str | None] = {"value": self.value, "low": self.low, "high": self.high}
        return {**ends, "why": self.why} if self.why else ends

    def missing(self, *, grouped: bool) -> str:
        """Return why there is no interval: "no interval: 2 independent groups, 3 are needed"; "" if there is one.

        Args:
            grouped: whether the units are groups.
        """
        if self.low is not None and self.high is not None:
            return ""
        why = self.why.removesuffix(" for an interval")
        why = why.replace("independent unit", "independent group") if grouped else why
        return f"no interval: {why}" if why else "no interval"

    def __float__(self) -> float:
        """Return the value, nan if it is not defined."""
        return math.nan if self.value is None else self.value

    def __str__(self) -> str:
        if self.value is None:
            return "not defined"
        if self.low is None or self.high is None:
            return decimals(self.value)
        return f"{decimals(self.value)} ({decimals(self.low)} to {decimals(self.high)})"


def decimals(value: float, sign: str = "") -> str:
    """Return a number with three decimals, or three digits if these would hide or flood it ("3.65e-21").

    Args:
        value: any.
        sign: "+" to write the sign of a positive one.
    """
    small_or_large = value and not 1e-3 <= abs(value) < 1e6
    return f"{value:{sign}.3g}" if small_or_large else f"{value:{sign}.3f}"


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
