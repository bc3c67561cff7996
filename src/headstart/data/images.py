"""Decode pictures to exactly the pixels a source was trained to see, as fast as the file allows.

Geometry follows timm's evaluation transforms (`timm.data.transforms_factory.transforms_imagenet_eval`):
resize so that `size / crop_pct` is covered, cut the middle. Only the part that the crop keeps is resampled
(Pillow's `box` gives the same pixels as resize and crop), and a large JPEG is decoded at 1/2, 1/4 or 1/8
while still well above the resized picture's size (libjpeg's scaled decoding, "draft").

Modes: 16-bit grey is scaled from its full range, CMYK and palettes become RGB, transparency is laid on
white, the rotation that a camera wrote (EXIF) is applied, an animation gives its first frame.
"""

from __future__ import annotations

import io
import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from headstart.data.content import Unreadable, read_bytes
from headstart.data.dicom import is_dicom, open_dicom
from headstart.data.geometry import CropPlan, Geometry, center_geometry
from headstart.data.items import Item, item_name
from headstart.data.preprocessing import ImagePreprocessing
from headstart.errors import DataError

MAX_PIXELS = 89_478_485  # Pillow's own limit for a warning: about 9,459 x 9,459
# A draft this much larger than the resized picture differs from the whole one by about half a grey level
# (mean; at 1.0 it is 1.5, at 2.0 no better than at 1.5 for photographs), and costs a tenth more.
_DRAFT_MARGIN = 1.5
# Pillow reads many more, and some start other programs (EPS starts Ghostscript). MPO files are read as JPEG.
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "ICO", "AVIF")
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_image(
    item: Item, preprocessing: ImagePreprocessing, augment_seed: int | None = None, draft: bool = True
) -> Tensor:
    """One picture as the pixels a source takes, not yet normalised.

    Args:
        item: a path, encoded bytes, or a uint8 picture (H, W) or (H, W, 3).
        preprocessing: the source's size, crop and interpolation.
        augment_seed: None for the evaluation crop; else seeds a random crop and mirror.
        draft: use the fast way: decode large JPEGs at a fraction of their size and resample the crop alone,
            which differs from the libraries' own way by a grey level here and there.

    Returns:
        uint8 tensor (3, height, width).

    Raises:
        DataError: it cannot be decoded; names the item.
    """
    plan = None if augment_seed is None else CropPlan(augment_seed)
    pixels = decode_pixels(item, preprocessing, plan, draft)
    if pixels.ndim == 2:
        return torch.from_numpy(pixels)[None].expand(3, -1, -1).contiguous()
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def decode_pixels(
    item: Item,
    preprocessing: ImagePreprocessing,
    plan: CropPlan | None = None,
    draft: bool = True,
    digest: str = "",
) -> np.ndarray:
    """One picture as uint8 (H, W, 3), or (H, W) if it is grey.

    Args:
        item: a path, encoded bytes, or a uint8 picture.
        preprocessing: the source's size, crop and interpolation.
        plan: a random crop in place of the middle one.
        draft: use the fast way: decode large JPEGs at a fraction of their size and resample the crop alone,
            which differs from the libraries' own way by a grey level here and there.
        digest: of the content that is expected of a file; "": any.

    Raises:
        DataError: it cannot be decoded, or has another digest; names the item.
    """
    try:
        image = open_image(item, digest)
        turn = orientation(image)
        whole = image.size if turn < 5 else (image.size[1], image.size[0])
        geometry = (plan.geometry if plan is not None else center_geometry)(whole, preprocessing)
        if draft and image.format in ("JPEG", "MPO"):
            wanted = geometry.resized if turn < 5 else (geometry.resized[1], geometry.resized[0])
            image.draft(
                image.mode, (math.ceil(_DRAFT_MARGIN * wanted[0]), math.ceil(_DRAFT_MARGIN * wanted[1]))
            )
        load(image)
        image = plain_colours(image)
        if turn > 1:
            image = image.transpose(_TRANSPOSE[turn])
    except Unreadable as error:
        raise DataError(f"{item_name(item)}: {error}") from None
    # a thin strip that is resized whole can take gigabytes: of it, too, the crop alone is resampled
    if draft or plan is not None or geometry.resized[0] * geometry.resized[1] > MAX_PIXELS:
        return _resample(image, whole, geometry, preprocessing)
    return _resize_and_crop(image, whole, geometry, preprocessing)


def _resize_and_crop(
    image: Image.Image, whole: tuple[int, int], geometry: Geometry, preprocessing: ImagePreprocessing
) -> np.ndarray:
    """Resize the whole picture, then crop, bit for bit as torchvision and transformers do."""
    left, top = (round(geometry.box[i] * geometry.resized[i] / whole[i]) for i in (0, 1))
    resized = image.resize(geometry.resized, _FILTERS[preprocessing.interpolation])
    width, height = geometry.size
    return _placed(resized.crop((left, top, left + width, top + height)), geometry, preprocessing)


def _resample(
    image: Image.Image, whole: tuple[int, int], geometry: Geometry, preprocessing: ImagePreprocessing
) -> np.ndarray:
    """Resample the box of a (possibly drafted) picture onto the output."""
    x_scale, y_scale = image.size[0] / whole[0], image.size[1] / whole[1]
    left, top, right, bottom = geometry.box
    box = (
        max(0.0, left * x_scale),
        max(0.0, top * y_scale),
        min(float(image.size[0]), right * x_scale),
        min(float(image.size[1]), bottom * y_scale),
    )
    image = image.resize(geometry.size, _FILTERS[preprocessing.interpolation], box=box)
    if geometry.flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return _placed(image, geometry, preprocessing)


def _placed(image: Image.Image, geometry: Geometry, preprocessing: ImagePreprocessing) -> np.ndarray:
    """The picture on the output, with a border if it is smaller."""
    height, width = preprocessing.size
    if geometry.size != (width, height):
        fill: Any = (
            tuple(round(255 * v) for v in preprocessing.mean) if preprocessing.crop_mode == "border" else 0
        )
        canvas = Image.new("RGB", (width, height), fill)
        canvas.paste(image, geometry.offset)
        image = canvas
    return np.array(image)


def open_image(item: Item, digest: str = "") -> Image.Image:
    """Open a picture without decoding it (DICOM files are decoded); a too large one is refused before that.

    Args:
        item: a path, encoded bytes of one of `IMAGE_FORMATS` or of a DICOM file, or a uint8 picture.
        digest: of the content that is expected of a file; "": any.

    Raises:
        Unreadable: not a picture, a damaged header, more than `MAX_PIXELS`, or another digest.
    """
    if isinstance(item, np.ndarray):
        if (
            item.dtype != np.uint8
            or item.ndim not in (2, 3)
            or (item.ndim == 3 and item.shape[2] not in (1, 3))
        ):
            raise Unreadable(f"a picture must be uint8 (H, W) or (H, W, 3), got {item.dtype} {item.shape}")
        if not item.size:
            raise Unreadable("the picture has no pixels")
        return Image.fromarray(
            np.ascontiguousarray(item[..., 0] if item.ndim == 3 and item.shape[2] == 1 else item)
        )
    data = read_bytes(Path(item) if isinstance(item, str) else item, digest)
    if not data:
        raise Unreadable("the file is empty")
    if is_dicom(data):
        return open_dicom(data, MAX_PIXELS)
    try:
        image = Image.open(io.BytesIO(data), formats=_formats())
    except Image.DecompressionBombError as error:
        n_pixels = next((int(word) for word in re.findall(r"\d+", str(error))), 0)
        raise Unreadable(f"{n_pixels:,} pixels, more than {MAX_PIXELS:,}: make it smaller first") from None
    except Exception as error:  # Pillow's readers raise many kinds of errors on a damaged header
        known = "not a picture that can be read, or its header is damaged"
        raise Unreadable(known if "cannot identify" in str(error) else f"{known} ({error})") from None
    if image.size[0] * image.size[1] > MAX_PIXELS:
        raise Unreadable(
            f"{image.size[0]:,} x {image.size[1]:,} pixels, more than {MAX_PIXELS:,}: make it smaller first"
        )
    if 0 in image.size:
        raise Unreadable("the picture has no pixels")
    return image


@cache
def _formats() -> tuple[str, ...]:
    """Those of `IMAGE_FORMATS` that this Pillow was built with."""
    Image.init()
    return tuple(name for name in IMAGE_FORMATS if name in Image.OPEN)


def n_frames(image: Image.Image) -> int | None:
    """The number of pictures in a file; None if one after the first is damaged: `image` cannot be used any more."""
    if image.format not in ("GIF", "PNG", "WEBP", "TIFF"):
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # a damaged later page can raise any error
        return None


def load(image: Image.Image) -> None:
    """Decode an opened picture whole.

    Raises:
        Unreadable: the data end early or are damaged.
    """
    try:
        image.load()
    except Exception as error:  # a damaged stream raises OSError, SyntaxError, struct.error, ...
        truncated = "truncated" in str(error).lower() or "broken data stream" in str(error).lower()
        reason = "truncated" if truncated else "damaged"
        raise Unreadable(f"{reason} {image.format or 'picture'}: {error}") from None


def orientation(image: Image.Image) -> int:
    """The EXIF orientation 1..8 of an opened picture, 1 if there is none."""
    if image.format not in ("JPEG", "MPO", "PNG", "WEBP", "TIFF") or (
        image.format in ("JPEG", "MPO", "PNG", "WEBP") and "exif" not in image.info
    ):
        return 1
    try:
        turn = image.getexif().get(0x0112, 1)
    except Exception:  # damaged EXIF does not make a picture unreadable
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def plain_colours(image: Image.Image) -> Image.Image:
    """A decoded picture as "RGB" or "L", whatever its mode."""
    mode = image.mode
    if mode in ("RGB", "L"):
        return image
    if mode == "1":
        return image.convert("L")
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or (mode == "P" and "transparency" in image.info):
        over = image.convert("RGBA")
        under = Image.new("RGBA", over.size, (255, 255, 255, 255))
        return Image.alpha_composite(under, over).convert("RGB")
    if mode.startswith("I") or mode == "F":
        return Image.fromarray(_to_8_bits(np.asarray(image), mode))
    return image.convert("RGB")


def _to_8_bits(values: np.ndarray, mode: str) -> np.ndarray:
    """Deep grey (H, W) as uint8: 16 bits from their full range, floats from 0..1 if they stay in it."""
    if mode == "F":
        finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=255.0, neginf=0.0)
        scaled = finite * 255.0 if finite.max(initial=0.0) <= 1.0 else finite
    else:
        wide = mode.startswith("I;16") or values.max(initial=0) > 255
        scaled = values.astype(np.float32) / 257.0 if wide else values.astype(np.float32)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
