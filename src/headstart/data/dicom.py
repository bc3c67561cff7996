"""Pictures in DICOM files: grey values through the rescaling and the window that the file asks for, as 8 bits.

DICOM PS3.3 C.11.1 (modality LUT) and C.11.2 (windows): the first window of the file; without one, from the smallest to
the largest value. A table of VOI values is not used. MONOCHROME1 is inverted, so that 0 is black; palettes become
colours; padding is black. Of several frames the first is taken.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from PIL import Image

from headstart.data.content import Unreadable

_PREAMBLE, _MARK = 128, b"DICM"
_BEYOND = 1e15  # outside of every window, so that its output is the smallest or the largest one


def is_dicom(data: bytes) -> bool:
    """Whether bytes are a DICOM file."""
    return data[_PREAMBLE : _PREAMBLE + 4] == _MARK


def open_dicom(data: bytes, most_pixels: int) -> Image.Image:
    """The picture in a DICOM file.

    Args:
        data: its bytes.
        most_pixels: of one frame.

    Returns:
        A picture of mode "L" or "RGB".

    Raises:
        Unreadable: it holds no picture, is damaged or too large, or pydicom is not installed.
    """
    try:
        import pydicom
        from pydicom.pixels import pixel_array
    except ImportError:
        raise Unreadable("a DICOM file: pip install 'headstart[medical]' to read it") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of attributes that a picture does not need
            found = pydicom.dcmread(io.BytesIO(data))
            n_pixels = int(found.get("Rows", 0)) * int(found.get("Columns", 0))
            if n_pixels > most_pixels:
                raise Unreadable(f"{n_pixels:,} pixels, more than {most_pixels:,}: make it smaller first")
            values = pixel_array(found, index=0)  # colours come as RGB
            if found.get("PhotometricInterpretation") == "PALETTE COLOR":
                values = _of_palette(values, found)
            pixels = values if values.ndim == 3 else _as_grey(values, found)
    except Unreadable:
        raise
    except Exception as error:  # pydicom and its decoders raise many kinds of errors
        raise Unreadable(
            f"a DICOM file without a picture that can be read ({_first_line(error)}): save it as PNG, or leave it out"
        ) from None
    if pixels.ndim == 3 and (pixels.shape[2] != 3 or pixels.dtype != np.uint8):
        raise Unreadable(
            f"a DICOM picture of {pixels.dtype} {pixels.shape}, which is neither grey nor 8-bit colours"
        )
    return Image.fromarray(np.ascontiguousarray(pixels))


def _as_grey(values: np.ndarray, found: Any) -> np.ndarray:
    """Stored values (H, W) as uint8."""
    from pydicom.pixels import apply_modality_lut, apply_windowing

    grey = np.asarray(apply_modality_lut(values, found), dtype=np.float64)
    if not np.isfinite(grey).all():
        raise Unreadable("a DICOM file with grey values that are no numbers")
    shown = _not_padding(values, found)
    low, high = float(grey[shown].min()), float(grey[shown].max())
    if _has_window(found):
        grey = apply_windowing(grey, found)
        low, high = apply_windowing(np.array([-_BEYOND, _BEYOND]), found)
    scaled = (grey - low) / (high - low) if high > low else np.zeros_like(grey)
    if found.get("PhotometricInterpretation") == "MONOCHROME1":
        scaled = 1.0 - scaled
    scaled = np.where(shown, scaled, 0.0)
    return np.asarray(np.clip(np.rint(255 * scaled), 0, 255), dtype=np.uint8)


def _not_padding(values: np.ndarray, found: Any) -> np.ndarray:
    """Which pixels (H, W) are no padding, by the value or range that the file names (PS3.3 C.7.5.1.1.2)."""
    first = found.get("PixelPaddingValue")
    if not isinstance(first, int):
        return np.ones(values.shape, dtype=bool)
    last = found.get("PixelPaddingRangeLimit")
    ends = (first, last if isinstance(last, int) else first)
    shown = np.asarray((values < min(ends)) | (values > max(ends)))
    return shown if shown.any() else np.ones(values.shape, dtype=bool)


def _has_window(found: Any) -> bool:
    """Whether the file names a window that can be used: a centre, and a width of 1 or more."""
    centre, width = (np.ravel(found.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if len(centre) == 0 or len(width) == 0 or centre[0] is None or width[0] is None:
        return False
    return float(width[0]) >= 1


def _of_palette(values: np.ndarray, found: Any) -> np.ndarray:
    """Colours of palette indices, as uint8 (H, W, 3)."""
    from pydicom.pixels import apply_color_lut

    colours = apply_color_lut(values, found)
    return np.asarray(colours if colours.dtype == np.uint8 else colours // 257, dtype=np.uint8)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
