"""An item cut into the parts of its modality."""

from __future__ import annotations

from typing import Any

from headstart.data import AudioPreprocessing, ImagePreprocessing, Preprocessing
from headstart.explaining.parts.parts import Parts
from headstart.explaining.parts.pictures import PictureParts
from headstart.explaining.parts.recordings import RecordingParts
from headstart.explaining.parts.texts import TextParts


def parts_of(item: Any, preprocessing: Preprocessing) -> Parts:
    """Cut an item into parts.

    Args:
        item: a path, a text, encoded bytes or a uint8 picture.
        preprocessing: of the run.

    Raises:
        DataError: the item cannot be decoded.
    """
    if isinstance(preprocessing, ImagePreprocessing):
        return PictureParts.of(item, preprocessing)
    if isinstance(preprocessing, AudioPreprocessing):
        return RecordingParts.of(item, preprocessing)
    return TextParts.of(str(item), preprocessing)
