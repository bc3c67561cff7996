"""Each explained item: the picture, text or recording, with what its prediction depends on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.report.media import audio_clip
from headstart.report.pages.explain import heat
from headstart.report.pages.explain.report import (
    ExplainedItem,
    ExplainReport,
    SoundView,
    TextView,
)
from headstart.report.shell import Section
from headstart.report.words import duration
from headstart.units import counted

CALLED = {"image": "cells", "text": "words", "audio": "cells"}  # the parts


@dataclass(frozen=True)
class Piece:
    """A piece of a text: how strongly it is coloured, from 0 to 1, and its tooltip; "" for no part."""

    text: str
    kind: str
    strength: float
    tip: str


@dataclass(frozen=True)
class Card:
    """An item as the template draws it; what its modality does not have is empty."""

    name: str
    verb: str
    output: str
    value: str
    test: str
    plain: str = ""
    overlaid: str = ""
    pieces: Sequence[Piece] = ()
    sound: str = ""
    axes: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Cards:
    """The items, in the order of the page."""

    modality: str
    cards: Sequence[Card]


def items_section(report: ExplainReport) -> Iterator[Section]:
    """The section with every explained item."""
    what = "probability" if report.has_classes else "value"
    called = CALLED[report.data.modality]
    deck = (
        f"Orange {called} raise the {what} of the answer that is explained, blue ones lower it; the strongest of each "
        "item has the full colour, so colours of two items cannot be compared."
    )
    cards = [_card(report, item) for item in report.items]
    yield Section("items", "What each prediction depends on", "explain/items.html.j2",
                  Cards(report.data.modality, cards), deck, "Items")  # fmt: skip


def _card(report: ExplainReport, item: ExplainedItem) -> Card:
    view = item.view
    removed = counted(item.n_removed, CALLED[report.data.modality])
    test = (
        f"Without the {removed} named first: {report.written(item.without_named)}; without as many random ones: "
        f"{report.written(item.without_random)}"
    )
    verb = "is called" if item.is_largest else "why"
    if not report.has_classes:
        verb = "is given"
    common = (item.name, verb, item.output, report.written(item.value), test)
    if isinstance(view, TextView):
        return Card(*common, pieces=_pieces(view))
    if isinstance(view, SoundView):
        picture = heat.spectrogram(view.decibels)
        axes = (duration(view.seconds), f"{view.most_hz / 1000:g} kHz")
        drawn = heat.overlaid(picture, view.values[::-1])
        return Card(*common, plain=heat.plain(picture), overlaid=drawn, sound=_clip(view), axes=axes)
    return Card(*common, plain=heat.plain(view.picture), overlaid=heat.overlaid(view.picture, view.values))


def _pieces(view: TextView) -> tuple[Piece, ...]:
    strongest = max((abs(value) for _, value in view.pieces if value is not None), default=0.0) or 1.0
    return tuple(
        Piece(text, "", 0.0, "")
        if value is None
        else Piece(
            text,
            "raises" if value >= 0 else "lowers",
            round(float(np.clip(abs(value) / strongest, 0, 1)), 3),
            f"{text}: {value:+.3f}".replace("-", "−"),
        )
        for text, value in view.pieces
    )


def _clip(view: SoundView) -> str:
    try:
        return audio_clip(view.item)[0]
    except Exception:  # decoders raise many kinds of errors; a report does not fail because of its player
        return ""
