"""One vector per item and stage: the mean over the item's own positions, for audio followed by the deviation.

Legend: N items, P patches per item, T positions along time or text, H W space, C D features.

A stage may give (N, D), (N, T, D), (N, D, T), (T, N, D), (N, C, H, W), (N, H, W, C), or any of these for P
patches of an item, (N * P, ...). The layout is found from the widths of the stage's own weights on the first batch and
remembered, so that the same module runs live and under torch.export with unknown sizes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.fx.experimental.symbolic_shapes import statically_known_true
from torch.utils._pytree import tree_flatten

from headstart.backbone._calls import Action, Forward, numbered, replaced_forwards

_EPSILON = 1e-8


class StagePooler(nn.Module):
    """Runs a network and returns one vector per stage; the same live and under torch.export.

    The first stage's vector is taken from the input of the second stage (for a transformer its embeddings with
    the positions added), the others from the outputs of their modules. The last is the network's own output if
    that is (N, D); with `lengths` mean and deviation of the last stage, then the network's own output.

    Args:
        network: the network. Two attributes of it are used. `own_positions(shape, inputs)`: a method that
            returns a mask broadcastable to (N, *shape), true at an item's own positions, where the shape of
            the positions is (T,), (H, W), (P, T) or (P, H, W). `embedding_is_mean`: true if its own output
            is the mean that is taken here anyway, so that it is not repeated.
        starts: module of each stage and which call of it begins the stage.
    """

    def __init__(self, network: nn.Module, starts: Sequence[tuple[nn.Module, int]]) -> None:
        super().__init__()
        self.network = network
        paths = {id(module): path for path, module in network.named_modules()}
        self._starts = [(paths[id(module)], call_index) for module, call_index in starts]
        widths = [_widths(module) for module, _ in starts]
        self._widths = [widths[0].union(*widths[1:2]), *widths[1:]]
        self._names = list(inspect.signature(network.forward).parameters)
        self._channels_first: dict[int, bool] = {}

    def forward(self, *args: Tensor, **kwargs: Tensor) -> list[Tensor]:
        """Return n_stages float32 tensors of shape (N, D_s), from the inputs that the network takes."""
        inputs = {**dict(zip(self._names, args)), **kwargs}
        vectors: dict[int, Tensor] = {}

        def keep(index: int, value: Any) -> None:
            vectors[index] = self._vector(first_tensor(value), index, inputs)

        last = len(self._starts) - 1
        actions: dict[nn.Module, dict[int, Action]] = {}
        for index, (path, call_index) in enumerate(self._starts):
            needs_output = index < last or "lengths" in inputs
            module = self.network.get_submodule(path)
            actions.setdefault(module, {})[call_index] = _keeping(keep, index, needs_output)
        actions.pop(self.network, None)
        with replaced_forwards({module: numbered(own) for module, own in actions.items()}):
            output = self.network(*args, **kwargs)
        vectors[last] = self._last(vectors.get(last), output, last, inputs)
        return [vectors[index] for index in range(last + 1)]

    def _last(self, vector: Tensor | None, output: Any, index: int, inputs: Mapping[str, Any]) -> Tensor:
        own = first_tensor(output)
        if own.ndim != 2:
            return self._vector(own, index, inputs) if vector is None else vector
        if vector is None:
            return own.float()
        if getattr(self.network, "embedding_is_mean", False):
            return vector
        return torch.cat([vector, own.float()], dim=1)

    def _vector(self, value: Tensor, index: int, inputs: Mapping[str, Any]) -> Tensor:
        """Pool one stage's output to (N, D) or (N, 2 D)."""
        n_items = next(v.shape[0] for v in inputs.values() if isinstance(v, Tensor))
        value = self._features_last(value, index, n_items)
        patched = not statically_known_true(value.shape[0] == n_items)
        if value.ndim == 4 and not patched and not self._is_masked(inputs):
            return mean_of_map(value)
        if patched:
            value = value.reshape(n_items, -1, *value.shape[1:])
        elif value.ndim == 2:
            return value.float()
        shape = value.shape[1:-1]
        mask = self._mask(tuple(shape), inputs, patched)
        if mask is not None:
            mask = mask.expand(n_items, *shape).flatten(1)
        return pool_positions(value.flatten(1, -2), mask, deviation="lengths" in inputs)

    def _features_last(self, value: Tensor, index: int, n_items: Any) -> Tensor:
        """Bring (N, D, T) to (N, T, D), (T, N, D) to (N, T, D), (N, C, H, W) to (N, H, W, C)."""
        items_second = value.ndim == 3 and statically_known_true(value.shape[1] == n_items)
        if items_second and not statically_known_true(value.shape[0] == n_items):
            return value.transpose(0, 1)
        if value.ndim not in (3, 4):
            return value
        if index not in self._channels_first:
            self._channels_first[index] = channels_first(tuple(value.shape), self._widths[index])
        return value.movedim(1, -1) if self._channels_first[index] else value

    def _is_masked(self, inputs: Mapping[str, Any]) -> bool:
        return "lengths" in inputs or hasattr(self.network, "own_positions")

    def _mask(self, shape: tuple[Any, ...], inputs: Mapping[str, Any], patched: bool) -> Tensor | None:
        """The mask of own positions, broadcastable to (N, *shape)."""
        if hasattr(self.network, "own_positions"):
            own_positions: Any = self.network.own_positions
            own: Tensor = own_positions(shape, inputs)
            return own
        if "lengths" in inputs:
            n_samples = next(v for k, v in inputs.items() if k != "lengths").shape[1]
            along = 0 if patched else len(shape) - 1
            mask = own_frames(inputs["lengths"], n_samples, shape[along])
            return mask.reshape(-1, *(size if axis == along else 1 for axis, size in enumerate(shape)))
        text: Tensor | None = inputs.get("attention_mask")
        if text is None or len(shape) != 1:
            return None
        if statically_known_true(text.shape[1] == shape[0]):
            return text.bool()
        return own_frames(text.sum(dim=1), text.shape[1], shape[0])


def _keeping(keep: Callable[[int, Any], None], index: int, needs_output: bool) -> Action:
    def run(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if index == 1:
            keep(0, (args, kwargs))
        output = forward(*args, **kwargs)
        if index and needs_output:
            keep(index, output)
        return output

    return run


def _widths(module: nn.Module) -> frozenset[int]:
    """The numbers of features in the shapes of a stage's own weights."""
    return frozenset(p.shape[0] for p in module.parameters() if p.ndim) | frozenset(
        p.shape[1] for p in module.parameters() if p.ndim == 2
    )


def channels_first(shape: tuple[Any, ...], widths: frozenset[int]) -> bool:
    """Whether the features of a (N, A, B) or (N, A, B, C) output lie in its second dimension.

    Args:
        shape: sizes; those unknown while exporting are ignored.
        widths: the numbers of features in the shapes of the stage's weights.
    """
    second, last = shape[1], shape[-1]
    second_fits: bool = isinstance(second, int) and second in widths
    last_fits: bool = isinstance(last, int) and last in widths
    if len(shape) == 4 and all(isinstance(size, int) for size in shape[1:]):
        square_at_end, square_at_front = shape[2] == shape[3], shape[1] == shape[2]
        if square_at_end != square_at_front and (square_at_end or last_fits):
            return bool(square_at_end)
    if second_fits != last_fits:
        return second_fits
    return len(shape) == 4


def first_tensor(value: Any) -> Tensor:
    """Return the first tensor of floating point in a nested value."""
    for part in tree_flatten(value)[0]:
        if isinstance(part, Tensor) and part.dtype.is_floating_point and part.ndim > 1:
            return part
    raise ValueError("a stage returned no floating-point tensor")


def own_frames(lengths: Tensor, n_samples: Any, n_frames: Any) -> Tensor:
    """Return the mask of each item's own frames: the first ceil(n_frames * length / n_samples), at least one.

    Args:
        lengths: (N,) int, samples of each item.
        n_samples: samples of the padded window.
        n_frames: frames of the window at this stage.

    Returns:
        (N, n_frames) bool.
    """
    own = torch.clamp((lengths * n_frames + n_samples - 1) // n_samples, min=1)
    return torch.arange(n_frames, device=lengths.device)[None, :] < own[:, None]


def mean_of_map(value_NHWC: Tensor) -> Tensor:
    """Return the mean over space of (N, H, W, C) as (N, C) float32.

    Sums are kept in float32. On a CPU a bf16 map in channels_last order goes through `avg_pool2d`, which
    reads it at the speed of memory (a reduction by `mean` was 10 to 30 times slower) and rounds the mean to
    bf16 once.
    """
    value_NCHW = value_NHWC.movedim(-1, 1)
    plain = (
        value_NCHW.device.type == "cpu" and not torch.compiler.is_compiling() and not value_NCHW.requires_grad
    )
    if plain and value_NHWC.is_contiguous() and min(value_NHWC.shape) > 0:
        return F.avg_pool2d(value_NCHW, value_NCHW.shape[2:]).flatten(1).float()
    return value_NCHW.mean(dim=(2, 3), dtype=torch.float32)


def pool_positions(value_NTD: Tensor, mask_NT: Tensor | None, deviation: bool) -> Tensor:
    """Return the mean over an item's own positions, followed by the standard deviation if asked for.

    Args:
        value_NTD: (N, T, D).
        mask_NT: (N, T) bool, true at own positions; None: all.
        deviation: whether to append the deviation.

    Returns:
        (N, D) or (N, 2 D) float32; zeros for an item without positions.
    """
    value_NTD = value_NTD.float()
    if mask_NT is None:
        mean_ND = value_NTD.mean(dim=1)
        if not deviation:
            return mean_ND
        variance_ND = value_NTD.var(dim=1, correction=0)
    else:
        weight_NT = mask_NT.float()
        weight_NT = weight_NT / weight_NT.sum(dim=1, keepdim=True).clamp(min=1.0)
        mean_ND = torch.bmm(weight_NT[:, None], value_NTD)[:, 0]
        if not deviation:
            return mean_ND
        centred_NTD = value_NTD - mean_ND[:, None]
        variance_ND = torch.bmm(weight_NT[:, None], centred_NTD * centred_NTD)[:, 0]
    return torch.cat([mean_ND, (variance_ND + _EPSILON).sqrt()], dim=1)
