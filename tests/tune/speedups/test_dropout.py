"""Quick dropout: the law of PyTorch's, and gradients of its own mask."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from headstart.tune.speedups.dropout import QuickDropout, quicken_dropout


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_so_many_are_dropped_and_the_mean_stays(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    n_values = 400_001
    given_values = QuickDropout(p)(torch.ones(n_values, dtype=dtype)).float()
    error = math.sqrt(p * (1 - p) / n_values)
    assert abs(float((given_values == 0).float().mean()) - p) < 4 * error + 2**-16
    kept = given_values[given_values != 0]
    assert (kept == kept[0]).all() and float(kept[0]) == pytest.approx(1 / (1 - p), rel=4e-3)


def test_neighbours_are_dropped_independently() -> None:
    """The four values of a word, and words that follow each other, are not correlated."""
    torch.manual_seed(1)
    dropped = (QuickDropout(0.3)(torch.ones(2**18)) == 0).float() - 0.3
    for distance in (1, 2, 3, 4, 5, 8):
        correlation = float((dropped[distance:] * dropped[:-distance]).mean() / (0.3 * 0.7))
        assert abs(correlation) < 4 / math.sqrt(2**18)


@given(n=st.integers(0, 40), p=st.floats(0, 1))
def test_any_size_and_probability(n: int, p: float) -> None:
    values = torch.arange(1.0, n + 1).requires_grad_()
    given_values = QuickDropout(p)(values)
    assert given_values.shape == values.shape and torch.isfinite(given_values).all()
    given_values.sum().backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad * values.detach(), given_values.detach())


def test_the_generator_tells_the_mask_and_eval_drops_nothing() -> None:
    drop, values = QuickDropout(0.5), torch.ones(1000)
    torch.manual_seed(3)
    first, second = drop(values), drop(values)
    torch.manual_seed(3)
    assert torch.equal(drop(values), first) and not torch.equal(first, second)
    assert drop.eval()(values) is values


def test_only_plain_dropouts_are_made_quick() -> None:
    network = nn.Sequential(
        nn.Dropout(0.2), nn.Dropout(0.2, inplace=True), nn.Dropout2d(0.2), nn.AlphaDropout(0.2)
    )
    quicken_dropout(network)
    assert [type(m) for m in network] == [QuickDropout, nn.Dropout, nn.Dropout2d, nn.AlphaDropout]
    assert network[0].p == 0.2
