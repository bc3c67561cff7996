"""One vector an item and stage: the mean over the item's own positions, for audio the deviation beside it.

Legend: N items, P patches an item, T positions along time or text, H W space, C D features.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

from headstart.backbone._calls import Action, Forward, numbered, replaced_forwards

_EPSILON = 1e-5


class StagePooler(nn.Module):
    """Runs a network and gives one vector a stage; the same live and under torch.export.

    The first stage's vector is taken of what reaches the second stage; the others of what their module gives.

    Args:
        network: the network. Two attributes of it are honoured: `own_positions(n_positions, inputs)`, a method
            that gives the mask (N, T) of an item's own positions; `embedding_is_mean`, true where its own embedding
            is the mean that is taken here anyway.
        starts: module of each stage and which call of it begins the stage.
    """

    def __init__(self, network: nn.Module, starts: Sequence[tuple[nn.Module, int]]) -> None:
        super().__init__()
        self.network = network
        self._paths = [(_path_of(network, module), call_index) for module, call_index in starts]
        self._names = [name for name in inspect.signature(network.forward).parameters]

    def forward(self, *args: Tensor, **kwargs: Tensor) -> list[Tensor]:
        """Return n_stages float32 tensors of shape (N, D_s)."""
        inputs = {**dict(zip(self._names, args)), **kwargs}
        n_items = next(value.shape[0] for value in inputs.values() if isinstance(value, Tensor))
        vectors: dict[int, Tensor] = {}
        n_stages = len(self._paths)

        def keep(index: int, value: Any) -> None:
            values_NTD, mask_NT = self._positions(first_tensor(value), index, n_items, inputs)
            vectors[index] = pool_positions(values_NTD, mask_NT, deviation="lengths" in inputs)

        actions: dict[nn.Module, dict[int, Action]] = {}
        for index, (path, call_index) in enumerate(self._paths):
            if index:
                module = self.network.get_submodule(path)
                actions.setdefault(module, {})[call_index] = _keeping(keep, index)
        with replaced_forwards({module: numbered(own) for module, own in actions.items()}):
            output = self.network(*args, **kwargs)
        self._finish(vectors, output, n_stages, inputs)
        return [vectors[index] for index in range(n_stages)]

    def _finish(self, vectors: dict[int, Tensor], output: Any, n_stages: int, inputs: dict[str, Any]) -> None:
        own = first_tensor(output)
        if own.ndim != 2:
            if n_stages - 1 not in vectors:
                raise ValueError("a network of one stage must give one vector an item")
            return
        if "lengths" not in inputs or n_stages - 1 not in vectors:
            vectors[n_stages - 1] = own.float()
        elif not getattr(self.network, "embedding_is_mean", False):
            vectors[n_stages - 1] = torch.cat([vectors[n_stages - 1], own.float()], dim=1)

    def _positions(
        self, value: Tensor, index: int, n_items: Any, inputs: dict[str, Any]
    ) -> tuple[Tensor, Tensor | None]:
        """Bring a stage's output to (N, T, D) or (N, C, H, W), with the mask of own positions."""
        if value.ndim == 4:
            value = value if self._channels_first(value, index) else value.permute(0, 3, 1, 2)
        return value, self._mask(value, n_items, inputs)

    def _mask(self, value: Tensor, n_items: Any, inputs: dict[str, Any]) -> Tensor | None:
        n_positions = value.shape[1] if value.ndim == 3 else value.shape[-1]
        if hasattr(self.network, "own_positions"):
            mask: Tensor = self.network.own_positions(n_positions, inputs)
            return mask
        if "lengths" in inputs:
            samples = next(v for k, v in inputs.items() if k != "lengths").shape[1]
            return own_frames(inputs["lengths"], samples, n_positions)
        mask_or_none: Tensor | None = inputs.get("attention_mask")
        if mask_or_none is not None and value.ndim == 3 and mask_or_none.shape[1] == n_positions:
            return mask_or_none.bool()
        return None

    def _channels_first(self, value: Tensor, index: int) -> bool:
        return True


def _keeping(keep: Any, index: int) -> Action:
    def run(forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if index == 1:
            keep(0, (args, kwargs))
        output = forward(*args, **kwargs)
        keep(index, output)
        return output

    return run


def _path_of(network: nn.Module, module: nn.Module) -> str:
    return next(path for path, child in network.named_modules() if child is module)


def first_tensor(value: Any) -> Tensor:
    """Return the first tensor of floating point in a nested value."""
    for part in tree_flatten(value)[0]:
        if isinstance(part, Tensor) and part.dtype.is_floating_point:
            return part
    raise ValueError("a stage gave no tensor of floating point")


def own_frames(lengths: Tensor, n_samples: Any, n_frames: Any) -> Tensor:
    """Return the mask of each clip's own frames: the first ceil(n_frames * length / n_samples).

    Args:
        lengths: (N,) int, samples of each clip.
        n_samples: samples of the padded window.
        n_frames: frames of the window at this stage.

    Returns:
        (N, n_frames) bool; at least one frame a clip.
    """
    own = torch.clamp((lengths * n_frames + n_samples - 1) // n_samples, min=1)
    return torch.arange(n_frames, device=lengths.device)[None, :] < own[:, None]


def pool_positions(value: Tensor, mask: Tensor | None, deviation: bool) -> Tensor:
    """Return the mean over an item's own positions, and where asked the standard deviation beside it.

    Args:
        value: (N, T, D), or (N, C, H, W), or (N, D).
        mask: (N, T) bool, true at own positions; None: all.
        deviation: whether to add the deviation.

    Returns:
        (N, D) or (N, 2 D) float32.
    """
    if value.ndim == 2:
        return value.float()
    if value.ndim == 4:
        return value.mean(dim=(2, 3), dtype=torch.float32)
    if mask is None:
        mean = value.mean(dim=1, dtype=torch.float32)
        weights = torch.full_like(value[..., :1], 1.0, dtype=torch.float32) / value.shape[1]
    else:
        weights = (mask / mask.sum(dim=1, keepdim=True))[..., None].float()
        mean = (value * weights).sum(dim=1)
    if not deviation:
        return mean
    variance = ((value.float() - mean[:, None]) ** 2 * weights).sum(dim=1)
    return torch.cat([mean, (variance + _EPSILON).sqrt()], dim=1)
