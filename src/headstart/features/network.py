"""A source's network made ready to run fast and frozen on one device."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from headstart.features.device import Setting
from headstart.sources.source import Source

if TYPE_CHECKING:
    from headstart.backbone import Backbone, State


@dataclass(frozen=True)
class InferenceNetwork:
    """A folded network in the run's precision, and how its inputs get to it.

    Attributes:
        backbone: the network, cut into the source's stages.
        setting: its device and precision.
    """

    backbone: Backbone
    setting: Setting

    def pooled(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """One vector an item and stage, of shape (n_items, D_s) float32, on the device."""
        with torch.inference_mode(), self._autocast():
            return [vector.float() for vector in self.backbone.pooled(inputs_for(self.backbone, inputs))]

    def prefix(self, inputs: Mapping[str, Tensor], cut: int) -> State:
        """The output of the stages before a cut, on the device."""
        with torch.inference_mode(), self._autocast():
            return self.backbone.prefix(inputs_for(self.backbone, inputs), cut)

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.setting.device.type == "cuda" and self.setting.precision == "bf16":
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return nullcontext()


def inputs_for(backbone: Backbone, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A batch on the device of a network, pictures in its precision; its front ends of sound take float32.

    On CUDA the copy leaves from pinned memory, while the batch before is computed.
    """
    like = next(backbone.module.parameters(), torch.empty(0))
    moved = {}
    for name, value in inputs.items():
        dtype = like.dtype if value.dim() == 4 else value.dtype
        if like.is_cuda:
            value = value.pin_memory()
        moved[name] = value.to(like.device, dtype, non_blocking=True)
    return moved


def inference_network(source: Source, setting: Setting) -> InferenceNetwork:
    """Fold and convert a source's network, which itself stays as it is."""
    from headstart.backbone import Backbone, prepare_for_inference

    module = prepare_for_inference(source.network, setting.precision, setting.device)
    return InferenceNetwork(Backbone(module, source.stages), setting)
