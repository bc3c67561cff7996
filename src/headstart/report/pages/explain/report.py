"""What the report of explanations is made from.

Legend: P parts of an item, G cells of a side, H and W pixels, F frequencies, T frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.report.reported import Reported
from headstart.report.words import share
from headstart.runs.explanation import ExplanationFacts
from headstart.tasks import task_named


@dataclass(frozen=True, eq=False)
class PictureView:
    """A picture as the network sees it, uint8 (H, W, 3), and what its cells add, (G, G)."""

    picture: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class TextView:
    """A text in pieces, each with what it adds; None for what the network does not see as a part."""

    pieces: Sequence[tuple[str, float | None]]


@dataclass(frozen=True, eq=False)
class SoundView:
    """A recording.

    Attributes:
        item: a path or encoded bytes.
        decibels: (F, T), its spectrogram.
        values: (F, T), what the cells add.
        seconds: its length.
        most_hz: the highest frequency.
    """

    item: Any
    decibels: np.ndarray
    values: np.ndarray
    seconds: float
    most_hz: float


@dataclass(frozen=True, eq=False)
class ExplainedItem:
    """One item of the report.

    Attributes:
        name: of the item.
        view: what is drawn.
        output: the class, label or quantity that is explained.
        value: its probability, or the value.
        is_largest: whether it is the most probable class.
        places: (P,) where each part is, in words.
        attributions: (P,) what each part adds.
        n_removed: parts that are removed for the next two.
        without_named, without_random: the output without the most important ones, and without as many random ones.
    """

    name: str
    view: PictureView | TextView | SoundView
    output: str
    value: float
    is_largest: bool
    places: Sequence[str]
    attributions: np.ndarray
    n_removed: int
    without_named: float
    without_random: float


@dataclass(frozen=True, eq=False)
class ExplainReport(Reported):
    """Finished explanations, for their page and for the terminal.

    Attributes:
        record: the content of metrics.json.
        facts: how they were made, and from which data.
        found: what was found.
        items: that were explained.
    """

    found: ExplanationFacts
    items: Sequence[ExplainedItem]

    @property
    def has_classes(self) -> bool:
        """Whether what is explained is a probability; else it is the value of a quantity."""
        return task_named(self.record.task).has_classes

    @property
    def key(self) -> str:
        """A metric that is written as the outputs are."""
        return "accuracy" if self.has_classes else "rmse"

    def written(self, value: float) -> str:
        """An output as read."""
        return share(max(0.0, value)) if self.has_classes else f"{value:.4g}"
