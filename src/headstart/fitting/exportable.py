"""Can a network be written as model.pt2? Asked of code that headstart does not know, before anything is learned."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from headstart.backbone import Backbone
from headstart.runs.export import inputs_of
from headstart.runs.program import export_program

if TYPE_CHECKING:
    from headstart.sources import Source


def check_exportable(source: Source, arch: str | None) -> None:
    """Refuse a network whose program would be refused at the end of a fit.

    Networks of the libraries, and those that ship with headstart, are not tried: they are known to be written. A
    network of the user's own, or of a repository's code, is written once as it is.

    Args:
        source: the network, with the window of the data.
        arch: of the user's own network; None: no code of the user.

    Raises:
        ArchitectureError: a stage is not run, it cannot be traced, or has operations that no program may have.
    """
    from headstart.sources import library_own

    own = arch is not None and source.config["library"] == library_own.NAME
    if not own and not source.config.get("remote_code"):
        return
    inputs = inputs_of(source.preprocessing.to_json(), source.network)
    backbone, example = Backbone(source.network, source.stages), inputs.example
    backbone.pooled(example[0] if len(example) == 1 else dict(zip(inputs.names, example, strict=True)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pt2"
        export_program(_AllStages(backbone).eval(), inputs, path, name=source.provenance.architecture)


class _AllStages(nn.Module):
    """What every head reads, in the range of probabilities."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.pooler = backbone.pooler()

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(self.pooler(*inputs), dim=1).softmax(dim=1)
