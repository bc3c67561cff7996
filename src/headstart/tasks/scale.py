"""The unit in which a head is fitted: a quantity is standardised, everything else stays as it is.

Values go there and back in float64: standardised ones have all their digits in float32, whatever the values are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

FEWEST_STEPS = 100  # numbers that float32 must tell apart within a standard deviation of the values


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
        return targets if self == OWN else self.standardised(targets).astype(np.float32)

    def outward(self, scores_NC: NDArray[np.floating]) -> NDArray[Any]:
        """Scores in the targets' own unit, float64; those that are not scaled as they are."""
        return scores_NC if self == OWN else self.shift + self.factor * scores_NC.astype(np.float64)

    def outward_tensor(self, scores_NC: Tensor) -> Tensor:
        """The same of a tensor."""
        return scores_NC if self == OWN else self.shift + self.factor * scores_NC.double()

    @property
    def fits_float32(self) -> bool:
        """Whether float32 holds the values, and tells them apart."""
        with np.errstate(over="ignore"):
            step = float(np.spacing(np.float32(abs(self.shift) + 10 * self.factor)))
        return bool(np.isfinite(step)) and max(step, 1e-38) * FEWEST_STEPS <= self.factor


OWN = TargetScale()  # the targets are not scaled
