"""The interface of a selector: how good a candidate is, without a label of a target item. Larger is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headstart.adapt.selectors.candidate import Candidate


@dataclass(frozen=True)
class Selector:
    """One selector.

    Attributes:
        name: its key.
        label: its name for a reader.
        score: of a candidate; larger is better.
    """

    name: str
    label: str
    score: Callable[[Candidate], float]
