"""The pull to the start."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headstart.tune.objectives.l2_sp import l2_sp


def test_l2_sp_is_half_the_squared_distance() -> None:
    layer = nn.Linear(3, 2)
    parameters = dict(layer.named_parameters())
    anchors = {name: p.detach().clone() for name, p in parameters.items()}
    assert float(l2_sp(parameters, anchors, 0.3).detach()) == 0
    with torch.no_grad():
        layer.weight += 0.5
        layer.bias -= 2
    pull = l2_sp(parameters, {**anchors, "frozen": torch.ones(1)}, 0.3)
    assert float(pull.detach()) == pytest.approx(0.15 * (6 * 0.25 + 2 * 4), rel=1e-6)
    pull.backward()
    torch.testing.assert_close(layer.weight.grad, torch.full((2, 3), 0.15))
    nothing = l2_sp({}, {}, 1.0)
    nothing.backward()
    assert float(nothing.detach()) == 0
