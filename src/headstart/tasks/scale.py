"""The unit in which a head is fitted: a quantity is standardised, everything else stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


class _Rescalable(Protocol):
    """A head whose scores can be put into another unit."""

    def rescaled(self, shift: float, factor: float) -> Any:
        """Return the head whose scores are shift + factor * scores."""


H = TypeVar("H", bound=_Rescalable)


@dataclass(frozen=True)
class TargetScale:
    """The way from the targets' own unit to the standardised one and back.

    Attributes:
        shift, factor: value = shift + factor * standardised value.
    """

    shift: float = 0.0
    factor: float = 1.0

    @classmethod
    def of(cls, values: NDArray[Any]) -> TargetScale:
        """Return the scale by which values have mean 0 and standard deviation 1.

        Args:
            values: of the training items.
        """
        spread = float(values.std(dtype=np.float64))
        return cls(float(values.mean(dtype=np.float64)), spread if spread > 0 else 1.0)

    def standardised(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Values in the standardised unit, float64."""
        return np.asarray((values.astype(np.float64) - self.shift) / self.factor)

    def inward(self, targets: NDArray[Any]) -> NDArray[Any]:
        """Targets in the standardised unit, float32; those that are not scaled as they are."""
        return targets if self == TargetScale() else self.standardised(targets).astype(np.float32)

    def outward(self, scores_NC: NDArray[np.floating]) -> NDArray[np.float32]:
        """Scores in the targets' own unit."""
        return (self.shift + self.factor * scores_NC).astype(np.float32)

    def head_inward(self, head: H) -> H:
        """The head that gives standardised values, from one that gives values."""
        return self._rescaled(head, -self.shift / self.factor, 1 / self.factor)

    def head_outward(self, head: H) -> H:
        """The head that gives values, from one that gives standardised values."""
        return self._rescaled(head, self.shift, self.factor)

    def _rescaled(self, head: H, shift: float, factor: float) -> H:
        if self == TargetScale():
            return head
        rescaled: H = head.rescaled(shift, factor)
        return rescaled
