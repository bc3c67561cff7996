"""Mixed items: each batch with its own neighbours, inputs and targets by the same share.

    mixup   x = share * x_n + (1 - share) * x_(n-1),  share ~ Beta(alpha, alpha), one per step
            of pixels and waveforms (Zhang et al. 2018), or of what a frozen prefix gave (Verma et al. 2019,
            "Manifold mixup"; for texts this is the only kind, since token ids cannot be mixed)
    cutmix  a rectangle of each picture is its neighbour's (Yun et al. 2019); the share is the area left

The formulas are those of torchvision.transforms.v2, whose CutMix does the pasting; what it would draw from
torch's global generator is drawn here from (seed, epoch, step), so a resumed run mixes as an uninterrupted
one. If both mixup and cutmix are set, each step draws one of them. Neighbours are those of the shuffled batch.

A mixed text's mask is that of both texts together; the length of two mixed recordings is the longer one.
A batch of one item stays as it is.

Legend: N items, C classes, H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from headstart.backbone.state import State
from headstart.errors import OptionError
from headstart.tune.recipes.recipe import Recipe

Mixable = TypeVar("Mixable", Tensor, dict[str, Tensor], State)
_STREAM = 2  # separate from the other random draws of a step
_LEAST_SHARE = 1e-6  # a share of 0 times the minus infinity of a mask would give NaN
_NO_TOKENS = (
    "mixup cannot mix token ids: freeze the first stages, such as --freeze first:1, so that what they give is "
    "mixed, or set mixup to 0"
)
_NO_PIXELS = "cutmix cuts pixels, {what}: set cutmix to 0, or use mixup"


class Mixing:
    """Mixes the items of each batch of a training, as its recipe says.

    Args:
        recipe: its `mixup` and `cutmix` are used.
        seed: random seed.
        n_classes: of targets that are class indices, which become shares of classes.
    """

    def __init__(self, recipe: Recipe, seed: int, n_classes: int) -> None:
        self._recipe, self._seed, self._n_classes = recipe, seed, n_classes

    def __call__(self, inputs: Any, targets: Tensor, *, epoch: int, step: int) -> tuple[Any, Tensor]:
        """Mix a batch; targets are of shape (N,), int64, or (N, C)."""
        if not targets.is_floating_point():
            targets = functional.one_hot(targets, self._n_classes).float()
        return mix(inputs, targets, recipe=self._recipe, seed=self._seed, epoch=epoch, step=step)


def check_mixing(recipe: Recipe, modality: str, cut: int) -> None:
    """Refuse a recipe whose mixing is not possible, before anything is computed.

    Args:
        recipe: its `mixup` and `cutmix` are used.
        modality: "image", "text" or "audio".
        cut: at which the inputs of training stand; 0 for items themselves.

    Raises:
        OptionError: cutmix of inputs that are not pictures, or mixup of token ids.
    """
    if recipe.cutmix and modality != "image":
        raise OptionError(_NO_PIXELS.format(what="and there are none in texts and recordings"))
    if recipe.cutmix and cut:
        raise OptionError(_NO_PIXELS.format(what="and stored states of frozen stages have none"))
    if recipe.mixup and modality == "text" and not cut:
        raise OptionError(_NO_TOKENS)


def mix(
    inputs: Mixable, targets_NC: Tensor, *, recipe: Recipe, seed: int, epoch: int, step: int
) -> tuple[Mixable, Tensor]:
    """Mix a batch: a pure function of what it is given.

    Args:
        inputs: a batch of a feed: pixels float (N, 3, H, W), bare or by the name "pixels"; a waveform with
            lengths; or a state.
        targets_NC: float of shape (N, C): classes one-hot, labels, or numbers.
        recipe: its `mixup` and `cutmix`, the alphas, are used; with both at 0 nothing changes.
        seed: random seed.
        epoch: counted from 1.
        step: within the epoch.

    Returns:
        New inputs and targets, of the same shapes and types.

    Raises:
        OptionError: cutmix of inputs that are not pictures, or mixup of token ids.
    """
    n_items = len(targets_NC)
    if not (recipe.mixup or recipe.cutmix):
        return inputs, targets_NC
    tensors = _by_name(inputs)
    pixels = _name_of_pixels(tensors) if not isinstance(inputs, State) or not inputs.layout.cut else None
    if recipe.cutmix and pixels is None:
        raise OptionError(_NO_PIXELS.format(what="and these inputs have none"))
    if not any(tensor.is_floating_point() for tensor in tensors.values()):
        raise OptionError(_NO_TOKENS)
    if n_items < 2:
        return inputs, targets_NC
    draw = np.random.default_rng([seed, epoch, step, _STREAM])
    if pixels is not None and recipe.cutmix and (not recipe.mixup or draw.random() < 0.5):
        mixed, mixed_targets = _cutmix(tensors, pixels, targets_NC, recipe.cutmix, draw)
    else:
        share = min(max(float(draw.beta(recipe.mixup, recipe.mixup)), _LEAST_SHARE), 1 - _LEAST_SHARE)
        mixed = {name: _mixup(name, tensor, share, n_items) for name, tensor in tensors.items()}
        mixed_targets = _shares(targets_NC, share)
    return _as_given(inputs, mixed), mixed_targets


def _cutmix(
    tensors: Mapping[str, Tensor], pixels: str, targets_NC: Tensor, alpha: float, draw: np.random.Generator
) -> tuple[dict[str, Tensor], Tensor]:
    from torchvision.transforms.v2 import CutMix

    height, width = tensors[pixels].shape[-2:]
    box, share = _box(height, width, float(draw.beta(alpha, alpha)), draw)
    params = {"labels": targets_NC, "batch_size": len(targets_NC), "box": box}
    cut: Tensor = CutMix().transform(tensors[pixels], params)
    return {**tensors, pixels: cut}, _shares(targets_NC, share)


def _box(
    height: int, width: int, share: float, draw: np.random.Generator
) -> tuple[tuple[int, int, int, int], float]:
    """A rectangle (x1, y1, x2, y2) of about 1 - share of the area, and the exact share that is left."""
    x, y = int(draw.integers(width)), int(draw.integers(height))
    half = 0.5 * math.sqrt(1.0 - share)
    half_width, half_height = int(half * width), int(half * height)
    x1, x2 = max(0, x - half_width), min(width, x + half_width)
    y1, y2 = max(0, y - half_height), min(height, y + half_height)
    return (x1, y1, x2, y2), 1.0 - (x2 - x1) * (y2 - y1) / (width * height)


def _mixup(name: str, tensor: Tensor, share: float, n_items: int) -> Tensor:
    """A tensor of shape (N * r, ...), r rows per item, mixed by item.

    Masks and lengths become those of both items; other integers (token ids stored with a state, of which the
    suffix reads the shape only) stay.
    """
    rows = len(tensor) // n_items
    if tensor.is_floating_point():
        return tensor.roll(rows, 0).mul_(1.0 - share).add_(tensor.mul(share))
    if name.endswith(("mask", "lengths")) or tensor.dtype == torch.bool:
        return tensor.maximum(tensor.roll(rows, 0))
    return tensor


def _shares(targets_NC: Tensor, share: float) -> Tensor:
    return targets_NC.roll(1, 0).mul_(1.0 - share).add_(targets_NC.mul(share))


def _by_name(inputs: Tensor | dict[str, Tensor] | State) -> dict[str, Tensor]:
    if isinstance(inputs, State):
        return inputs.tensors
    return {"": inputs} if isinstance(inputs, Tensor) else inputs


def _name_of_pixels(tensors: Mapping[str, Tensor]) -> str | None:
    """The tensor that holds pictures: inputs themselves, not what a stage gave."""
    for name in ("pixels", "", "input.pixels", "input."):
        if name in tensors and tensors[name].ndim == 4 and tensors[name].is_floating_point():
            return name
    return None


def _as_given(inputs: Any, mixed: dict[str, Tensor]) -> Any:
    if isinstance(inputs, State):
        return State(inputs.n_items, mixed, inputs.layout)
    return mixed[""] if isinstance(inputs, Tensor) else mixed
