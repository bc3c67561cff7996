"""The picture of both domains for the report, from the method that is returned."""

from __future__ import annotations

from headstart.adapt.alignments import NONE
from headstart.adapt.picture import Picture, picture
from headstart.adapting.ground import Ground
from headstart.adapting.trying import Tried


def picture_of(ground: Ground, chosen: Tried) -> Picture | None:
    """Both domains as the source's network gives them, and as the returned method sees them.

    Args:
        ground: features of both domains.
        chosen: the method that is returned.

    Returns:
        None if there is too little to draw.
    """
    before, _ = NONE.align(ground.plain.domains)
    if chosen.method.alignment is NONE and chosen.view is ground.plain:
        return picture(before, None)
    after, _ = chosen.method.aligned(chosen.view.domains)
    return picture(before, after)
