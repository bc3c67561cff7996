"""Network, pooling and head as one module."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbone import Backbone
from headstart.heads import LinearHead
from headstart.heads.predictor import Predictor


class Small(nn.Module):
    """Three stages on pictures; gives its own embedding."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 4, 3)
        self.middle = nn.Conv2d(4, 5, 3)
        self.last = nn.Conv2d(5, 6, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return (N, 6)."""
        embedding: Tensor = self.last(self.middle(self.stem(pixels).relu()).relu()).mean(dim=(2, 3))
        return embedding


def test_the_head_reads_the_stages_it_was_fitted_on_and_the_whole_exports() -> None:
    backbone = Backbone(Small().eval(), ["stem", "middle", "last"])
    rng = np.random.default_rng(0)
    head = LinearHead(
        stages=(1, 2),
        mean=np.zeros(11, np.float32),
        scale=np.ones(11, np.float32),
        weight=rng.normal(size=(2, 11)).astype(np.float32),
        bias=np.zeros(2, np.float32),
        temperature=2.0,
        classes=("a", "b"),
    )
    predictor = Predictor(backbone, head).eval()
    pixels = torch.randn(3, 3, 16, 16)
    pooled = backbone.pooled(pixels)
    wanted = head.probabilities(torch.cat([pooled[1], pooled[2]], dim=1).detach().numpy())
    with torch.no_grad():
        assert np.allclose(predictor(pixels).numpy(), wanted, atol=1e-5)
        program = torch.export.export(predictor, (pixels,), dynamic_shapes=(({0: torch.export.Dim("n")},),))
        assert torch.allclose(program.module()(pixels[:2]), predictor(pixels[:2]), atol=1e-5)
