"""A picture as a grid of cells, in the crop that the network sees.

Removed cells are blurred to explain, and painted in the mean colour to test (both as in Petsiuk et al. 2018, RISE,
and Fong and Vedaldi 2017, "Interpretable explanations of black boxes by meaningful perturbation").

Legend: P cells, M variants, H and W pixels, G cells of a side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.data import ImagePreprocessing, decode_image
from headstart.explaining.parts.parts import Way

N_SIDE = 7  # as many cells as the last stage of most networks of 224 pixels has
_BLUR = 1 / 16  # standard deviation of the blur, as a share of the longer side


@dataclass(frozen=True, eq=False)
class PictureParts:
    """A picture, cut into cells.

    Attributes:
        picture: uint8 (3, H, W), what the network sees.
        pixels: float32 (3, H, W), the same, normalised.
        blurred: float32 (3, H, W).
        rows_H, columns_W: int64, row and column of the grid that a pixel lies in.
        n_side: G.
    """

    picture: Tensor
    pixels: Tensor
    blurred: Tensor
    rows_H: Tensor
    columns_W: Tensor
    n_side: int

    @classmethod
    def of(cls, item: Any, preprocessing: ImagePreprocessing) -> PictureParts:
        """Cut a picture.

        Args:
            item: a path, encoded bytes or a uint8 picture.
            preprocessing: of the run.

        Raises:
            DataError: it cannot be decoded.
        """
        from torchvision.transforms.v2.functional import gaussian_blur

        picture = decode_image(item, preprocessing, draft=False)
        mean, std = (torch.tensor(each)[:, None, None] for each in (preprocessing.mean, preprocessing.std))
        pixels = (picture / 255 - mean) / std
        height, width = picture.shape[1:]
        sigma = max(1.0, _BLUR * max(height, width))
        radius = min(round(3 * sigma), min(height, width) - 1)  # a reflection is never wider than the picture
        blurred = (
            gaussian_blur(pixels, [2 * radius + 1] * 2, [sigma] * 2) if radius else pixels.mean((1, 2), True)
        )
        n_side = min(N_SIDE, height, width)
        rows, columns = (torch.arange(size) * n_side // size for size in (height, width))
        return cls(picture, pixels, blurred.expand_as(pixels), rows, columns, n_side)

    @property
    def n_parts(self) -> int:
        """G * G."""
        return self.n_side**2

    @property
    def places(self) -> Sequence[str]:
        """Row and column of each cell, from 1."""
        return [f"row {k // self.n_side + 1}, column {k % self.n_side + 1}" for k in range(self.n_parts)]

    def inputs(self, present_MP: np.ndarray, way: Way) -> tuple[Tensor, ...]:
        """Pixels (M, 3, H, W) without some cells; see `Parts.inputs`."""
        cells = torch.from_numpy(np.ascontiguousarray(present_MP)).view(-1, self.n_side, self.n_side)
        kept = cells[:, self.rows_H[:, None], self.columns_W[None, :]][:, None]
        fill = self.blurred if way == "explain" else self.pixels.mean((1, 2), keepdim=True)
        return (torch.where(kept, self.pixels, fill).contiguous(memory_format=torch.channels_last),)
