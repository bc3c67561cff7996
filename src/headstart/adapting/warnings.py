"""What a reader must know before trusting an adaptation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from headstart.adapting.diagnosing import Shift
from headstart.adapting.extracted import ExtractedPair
from headstart.units import agreeing, counted

FEW_ITEMS = 30  # of the target, below which a reader is warned


def warnings_of(pair: ExtractedPair, shift: Shift) -> tuple[str, ...]:
    """The warnings, the most serious first.

    Args:
        pair: both domains, with features.
        shift: what kind of shift it is.
    """
    return (*_same_items(pair), *shift.warnings, *_new_classes(pair), *_few(pair))


def notes_of(shift: Shift) -> tuple[str, ...]:
    """What else was found about the shift, and what to do about it.

    Args:
        shift: what kind of shift it is.
    """
    lines = [line for line in (*shift.sentences, shift.advice) if line and line not in shift.warnings]
    return (*lines, *([f"Which shift it is, is not known: {shift.why}."] if shift.why else []))


def _same_items(pair: ExtractedPair) -> Iterator[str]:
    target = pair.target.data.scan.digests
    n_same = int(np.isin(target, pair.domain.digests).sum())
    if n_same:
        yield (
            f"{counted(n_same, 'items')} of {pair.target.name} {agreeing(n_same, 'is', 'are')} labelled "
            f"{agreeing(n_same, 'item', 'items')} of {pair.domain.name} too: scores on them are too high."
        )


def _new_classes(pair: ExtractedPair) -> Iterator[str]:
    new = pair.target.new_classes
    if new and pair.target.codes is None:
        shown = ", ".join(list(new)[:5])
        yield (
            f"The labels of {pair.target.name} ({shown}) are none of the source's classes: they are ignored, and "
            "nothing is scored."
        )
    elif new:
        n_items = sum(new.values())
        yield (
            f"{counted(n_items, 'items')} of {pair.target.name} {agreeing(n_items, 'has', 'have')} a class that the "
            f"source lacks ({', '.join(list(new)[:5])}): no method can predict it, and these items are not scored."
        )


def _few(pair: ExtractedPair) -> Iterator[str]:
    n_items = len(pair.target.adapted)
    if n_items < FEW_ITEMS:
        only = f"Only {counted(n_items, 'items')} of {pair.target.name}"
        yield f"{only} to adapt on: what they show of it is uncertain."
