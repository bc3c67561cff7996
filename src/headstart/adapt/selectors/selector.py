"""The interface of a selector: how good a candidate is, without a label of a target item. Larger is better.

Legend: N source items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from headstart.adapt.domains import Float
from headstart.adapt.selectors.candidate import Candidate
from headstart.metrics.spread import standard_errors


@dataclass(frozen=True, eq=False)
class Measured:
    """What a selector found for a candidate.

    Attributes:
        score: larger is better.
        items_N: what each source item contributes, of shape (N,); the score is their mean. The difference of two
            candidates has the spread of the differences of their items. None: the score is not a mean over items.
    """

    score: float
    items_N: Float | None = None

    @classmethod
    def mean_of(cls, items_N: Float) -> Measured:
        """The mean over items of shape (N,)."""
        return cls(float(items_N.mean()), items_N)

    def error(self, units: NDArray[Any] | None = None) -> float | None:
        """Return the standard error of the score; None if it is not a mean over items.

        Args:
            units: of shape (N,), items of one unit are not independent; None: every item is a unit of its own.
        """
        return None if self.items_N is None else float(standard_errors(self.items_N[:, None], units)[0])


@dataclass(frozen=True)
class Selector:
    """One selector.

    Attributes:
        name: its key.
        label: its name for a reader.
        measure: from a candidate to a score, larger is better.
    """

    name: str
    label: str
    measure: Callable[[Candidate], Measured]

    def score(self, candidate: Candidate) -> float:
        """Return the score of a candidate."""
        return self.measure(candidate).score
