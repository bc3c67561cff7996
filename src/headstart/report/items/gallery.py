"""Items with their label and another answer, as pictures, texts or sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headstart.report.media import shown
from headstart.report.words import duration, share

_PREFIXES = {"image": "data:image/", "audio": "data:audio/", "text": ""}  # what a payload must begin with
_WAVE = (300, 40.0)  # width and height of the picture of a recording


@dataclass(frozen=True)
class Answer:
    """One answer for an item: the word before it ("is"), and its probability if it has one."""

    verb: str
    text: str
    probability: float | None = None

    @property
    def sure(self) -> str:
        """The probability as read."""
        return share(self.probability)


@dataclass(frozen=True)
class WaveBar:
    """One bar of the picture of a recording."""

    x: float
    y: float
    h: float


@dataclass(frozen=True)
class Item:
    """An item of the gallery; `note` stands beside its name."""

    name: str
    label: Answer
    other: Answer
    kind: str
    payload: str
    bars: Sequence[WaveBar]
    bar_width: float
    note: str


@dataclass(frozen=True)
class Gallery:
    """The items, in the order of the page, and the command that explains them; "" if there is none."""

    modality: str
    items: Sequence[Item]
    command: str = ""


def gallery_item(item: Any, name: str, modality: str, label: Answer, other: Answer, note: str = "") -> Item:
    """An item with its label and another answer.

    Args:
        item: a path, a text or a uint8 picture.
        name: shown below it.
        modality: "image", "text" or "audio".
        label: as it is given.
        other: what it is compared with.
        note: shown beside the name.
    """
    media = shown(item, modality)
    width, height = _WAVE
    step = width / max(1, len(media.peaks))
    heights = [max(1.5, peak * height) for peak in media.peaks]
    bars = [
        WaveBar(round(k * step, 2), round((height - h) / 2, 2), round(h, 2)) for k, h in enumerate(heights)
    ]
    length = "" if media.seconds is None else duration(media.seconds)
    return Item(
        name,
        label,
        other,
        modality,
        media.payload if media.payload.startswith(_PREFIXES[modality]) else "",
        bars,
        round(step * 0.62, 2),
        " · ".join(text for text in (length, note) if text),
    )
