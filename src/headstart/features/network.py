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
            return [vector.float() for vector in self.backbone.pooled(self._on_device(inputs))]

    def prefix(self, inputs: Mapping[str, Tensor], cut: int) -> State:
        """The output of the stages before a cut, on the device."""
        with torch.inference_mode(), self._autocast():
            return self.backbone.prefix(self._on_device(inputs), cut)

    def _on_device(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Bring a batch to the device; on CUDA from pinned memory, while the batch before is computed."""
        device = self.setting.device
        moved = {}
        for name, value in inputs.items():
            if device.type == "cuda":
                value = value.pin_memory().to(device, non_blocking=True)
            elif self.setting.precision == "bf16" and value.dim() == 4:
                value = value.to(torch.bfloat16)
            moved[name] = value.to(device)
        return moved

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.setting.device.type == "cuda" and self.setting.precision == "bf16":
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return nullcontext()


def inference_network(source: Source, setting: Setting) -> InferenceNetwork:
    """Fold and convert a source's network, which itself stays as it is."""
    from headstart.backbone import Backbone, prepare_for_inference

    module = prepare_for_inference(source.network, setting.precision, setting.device)
    return InferenceNetwork(Backbone(module, source.stages), setting)
