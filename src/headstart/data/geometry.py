"""Which part of a picture is resampled to which pixels of a network's input: the middle, or a random crop.

The middle follows timm's evaluation transforms (`timm.data.transforms_factory.transforms_imagenet_eval`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from headstart.data.preprocessing import ImagePreprocessing


@dataclass(frozen=True)
class Geometry:
    """Where the output's pixels come from.

    Args:
        resized: (width, height) the whole picture would be resized to; decides how small a draft may be.
        box: (left, top, right, bottom) in the picture's own pixels.
        size: (width, height) that the box is resampled to.
        offset: (x, y) of that on the output, not (0, 0) if a border is padded.
        flip: mirror left and right.
    """

    resized: tuple[int, int]
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    offset: tuple[int, int] = (0, 0)
    flip: bool = False


def center_geometry(whole: tuple[int, int], preprocessing: ImagePreprocessing) -> Geometry:
    """The evaluation crop of a picture of some size, as timm does it.

    Args:
        whole: (width, height) of the picture, upright.
        preprocessing: size, crop_pct and crop_mode.
    """
    width, height = whole
    out_h, out_w = preprocessing.size
    scale_h, scale_w = math.floor(out_h / preprocessing.crop_pct), math.floor(out_w / preprocessing.crop_pct)
    if preprocessing.crop_mode == "squash":
        resized_w, resized_h = scale_w, scale_h
    elif preprocessing.crop_mode == "border":
        ratio = max(height / scale_h, width / scale_w)
        resized_w, resized_h = round(width / ratio), round(height / ratio)
    elif scale_h == scale_w:
        short = min(width, height)
        resized_w = scale_w if width == short else int(scale_w * width / short)
        resized_h = scale_h if height == short else int(scale_h * height / short)
    else:
        ratio = min(height / scale_h, width / scale_w)
        resized_w, resized_h = round(width / ratio), round(height / ratio)
    resized_w, resized_h = max(1, resized_w), max(1, resized_h)
    x0, x1, left = _cut(resized_w, out_w)
    y0, y1, top = _cut(resized_h, out_h)
    x_scale, y_scale = width / resized_w, height / resized_h
    box = (x0 * x_scale, y0 * y_scale, x1 * x_scale, y1 * y_scale)
    return Geometry((resized_w, resized_h), box, (x1 - x0, y1 - y0), (left, top))


def _cut(length: int, wanted: int) -> tuple[int, int, int]:
    """(start, end) of the middle of a length, and the offset on the output if it is too short."""
    if length < wanted:
        return 0, length, (wanted - length) // 2
    start = round((length - wanted) / 2.0)
    return start, start + wanted, 0


@dataclass(frozen=True)
class CropPlan:
    """A random resized crop and mirror for one picture (Szegedy et al. 2015, as torchvision draws it).

    Args:
        seed: of this item and view.
        scale: smallest and largest share of the area kept.
        ratio: smallest and largest aspect ratio.
        flip: mirror with probability one half.
    """

    seed: int
    scale: tuple[float, float] = (0.35, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: bool = True

    def geometry(self, whole: tuple[int, int], preprocessing: ImagePreprocessing) -> Geometry:
        """Where this view's pixels come from.

        Args:
            whole: (width, height) of the picture, upright.
            preprocessing: the size to give.
        """
        generator = np.random.default_rng(self.seed)
        mirrored = self.flip and bool(generator.random() < 0.5)
        width, height = whole
        box_w, box_h = self._box(width, height, generator)
        left = generator.random() * (width - box_w)
        top = generator.random() * (height - box_h)
        out_h, out_w = preprocessing.size
        resized = (math.ceil(out_w * width / box_w), math.ceil(out_h * height / box_h))
        return Geometry(resized, (left, top, left + box_w, top + box_h), (out_w, out_h), flip=mirrored)

    def _box(self, width: int, height: int, generator: np.random.Generator) -> tuple[float, float]:
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        for _ in range(10):
            area = width * height * generator.uniform(*self.scale)
            aspect = math.exp(generator.uniform(low, high))
            box_w, box_h = math.sqrt(area * aspect), math.sqrt(area / aspect)
            if box_w <= width and box_h <= height:
                return max(1.0, box_w), max(1.0, box_h)
        side = float(min(width, height))
        return side, side
