"""What augmentation made of a few training pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headstart.report.media import shown
from headstart.report.pages.fit.report import FitReport
from headstart.report.shell import Section


@dataclass(frozen=True)
class Row:
    """A picture and its views as data URIs."""

    name: str
    plain: str
    others: Sequence[str]


def views_section(report: FitReport) -> Iterator[Section]:
    """The section, if the training saw augmented pictures."""
    if not report.views:
        return
    rows = [
        Row(
            each.name,
            shown(each.plain, "image").payload,
            [shown(view, "image").payload for view in each.others],
        )
        for each in report.views
    ]
    kind = (report.record.extra.get("recipe") or {}).get("augment", "light")
    change = " and one change of colour or shape (TrivialAugment)" if kind == "trivial" else ""
    deck = (
        f"The first picture of each row is as the model sees it when it predicts; the others are views that the "
        f"training drew: another part of the picture, mirrored or not{change}. If what matters is cut off or changed "
        "in them, train without: a recipe with augment: none."
    )
    yield Section("views", "What the training saw", "fit/views.html.j2", rows, deck, "Augmentation")
