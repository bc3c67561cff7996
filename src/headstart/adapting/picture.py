"""The picture of both domains for the report, from the method that is returned."""

from __future__ import annotations

from headstart.adapt.alignments import NONE
from headstart.adapt.picture import Picture, picture
from headstart.adapting.extracted import ExtractedPair
from headstart.adapting.trying import Tried


def picture_of(pair: ExtractedPair, chosen: Tried) -> Picture | None:
    """Both domains as the source's network gives them, and as the returned method sees them.

    Args:
        pair: both domains, with features.
        chosen: the method that is returned.

    Returns:
        None if there is too little to draw.
    """
    before, _ = NONE.align(pair.plain.domains)
    if chosen.method.alignment is NONE and chosen.features is pair.plain:
        return picture(before, None)
    after, _ = chosen.method.alignment.align(chosen.domains)
    return picture(before, after)
