"""The interface of a learner: it learns a linear classifier from domains in one space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Domains


@dataclass(frozen=True)
class Learner:
    """One learner.

    Attributes:
        name: in the text of a method.
        label: its name for a reader.
        learn: takes domains in one space; returns weights of shape (C, D) and biases of shape (C,).
    """

    name: str
    label: str
    learn: Callable[[Domains], tuple[NDArray[np.floating], NDArray[np.floating]]]
