"""A source's network made ready to run fast and frozen on one device."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from headstart.features.device import Setting
from headstart.sources.source import Source

if TYPE_CHECKING:
    from headstart.backbone import Backbone


@dataclass(frozen=True)
class InferenceNetwork:
    """A folded network in the run's precision, and how its inputs get to it.

    Attributes:
        backbone: the network, cut into the source's stages.
        setting: its device and precision.
    """

    backbone: Backbone
    setting: Setting

    def prepare(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Bring a batch to the device, in the precision and memory order of the network.

        On CUDA the copy leaves from pinned memory, while the batch before is computed.
        """
        device = self.setting.device
        prepared = {}
        for name, value in inputs.items():
            if value.dim() == 4:
                value = value.contiguous(memory_format=torch.channels_last)
            if device.type == "cuda":
                value = value.pin_memory()
            prepared[name] = value.to(device, non_blocking=True)
        return prepared

    def running(self) -> AbstractContextManager[None]:
        """What has to surround a forward."""
        if self.setting.device.type == "cuda" and self.setting.precision == "bf16":
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return nullcontext()


def inference_network(source: Source, setting: Setting) -> InferenceNetwork:
    """Fold and convert a source's network, which itself stays as it is."""
    from headstart.backbone import Backbone, prepare_for_inference

    module = prepare_for_inference(source.network, setting.precision, setting.device)
    return InferenceNetwork(Backbone(module, source.stages), setting)
