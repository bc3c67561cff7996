"""A folded head gives the probabilities of the head that was fitted."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.heads.head import FoldedHead
from headstart.heads.linear import LinearHead


@given(
    seed=st.integers(0, 1000),
    width=st.integers(1, 40),
    mean=st.floats(-100, 100),
    scale=st.floats(0.1, 100),  # mean / scale is rounded in float32
    temperature=st.floats(0.1, 10),
)
@settings(max_examples=60, deadline=None)
def test_same_probabilities(seed: int, width: int, mean: float, scale: float, temperature: float) -> None:
    generator = np.random.default_rng(seed)
    head = LinearHead(
        stages=(0,),
        mean=(mean + generator.normal(size=width)).astype(np.float32),
        scale=(scale * (0.5 + generator.random(width))).astype(np.float32),
        weight=generator.normal(size=(3, width)).astype(np.float32),
        bias=generator.normal(size=3).astype(np.float32),
        temperature=temperature,
        classes=("a", "b", "c"),
    )
    features = (head.mean + head.scale * generator.normal(size=(5, width))).astype(np.float32)
    folded = head.folded()
    logits = torch.from_numpy(features).double() @ folded.weight.double().T + folded.bias.double()
    np.testing.assert_allclose(logits.softmax(1).numpy(), head.probabilities(features), atol=5e-3)


def test_features_that_do_not_count_can_be_left_out() -> None:
    head = FoldedHead(torch.tensor([[1.0, 2.0, 0.0], [3.0, 4.0, 0.0]]), torch.zeros(2))
    leading = head.only(slice(2))
    assert leading is not None
    assert torch.equal(leading.weight, torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert head.only(slice(1)) is None
    assert head.only(slice(-1, None)) is None
