"""A source's network, frozen and prepared to run fast on one device, once per worker."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from headstart.features.device import Setting, torch_threads
from headstart.sources.source import Source

if TYPE_CHECKING:
    from headstart.backbone import Backbone, State


@dataclass(frozen=True)
class InferenceNetwork:
    """A folded network in the run's precision, once per worker; the weights are in memory only once.

    A pass watches the modules it runs, so each worker needs its own modules.

    Attributes:
        backbones: the network cut into the source's stages, one per worker.
    """

    backbones: tuple[Backbone, ...]

    def pooled(self, inputs: Mapping[str, Tensor], worker: int = 0) -> list[Tensor]:
        """One vector per item and stage, of shape (n_items, D_s) float32, on the device."""
        backbone = self.backbones[worker]
        with torch.inference_mode():
            return [vector.float() for vector in backbone.pooled(inputs_for(backbone, inputs))]

    def pooled_and_state(
        self, inputs: Mapping[str, Tensor], cut: int, worker: int = 0
    ) -> tuple[list[Tensor], State]:
        """The vectors of all stages and the output of the stages before a cut, from one pass, on the device."""
        backbone = self.backbones[worker]
        with torch.inference_mode():
            vectors, state = backbone.pooled_and_state(inputs_for(backbone, inputs), cut)
            return [vector.float() for vector in vectors], state

    def prefix(self, inputs: Mapping[str, Tensor], cut: int, worker: int = 0) -> State:
        """The output of the stages before a cut, on the device."""
        backbone = self.backbones[worker]
        with torch.inference_mode():
            return backbone.prefix(inputs_for(backbone, inputs), cut)


def inference_network(source: Source, setting: Setting) -> InferenceNetwork:
    """Fold and convert a copy of a source's network."""
    from headstart.backbone import Backbone, prepare_for_inference

    with torch_threads(1):  # few items: threads would only wait for each other
        module = prepare_for_inference(source.network, setting.precision, setting.device)
    modules = [module, *(_twin(module) for _ in range(setting.n_workers - 1))]
    return InferenceNetwork(tuple(Backbone(module, source.stages) for module in modules))


def inputs_for(backbone: Backbone, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A batch on the device of a network; on CUDA copied from pinned memory while the device computes."""
    device = next(backbone.module.parameters(), torch.empty(0)).device
    if device.type == "cuda":
        inputs = {name: value.pin_memory() for name, value in inputs.items()}
    return {name: value.to(device, non_blocking=True) for name, value in inputs.items()}


def _twin(module: nn.Module) -> nn.Module:
    """A copy of the modules around the same weights and buffers."""
    tensors = [*module.parameters(), *module.buffers()]
    return copy.deepcopy(module, {id(tensor): tensor for tensor in tensors})
