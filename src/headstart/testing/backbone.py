"""What every backbone must satisfy: it can be cut exactly.

Example:
    >>> import torch
    >>> from torch import nn
    >>> network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).eval()
    >>> check_backbone(network, torch.randn(3, 4)).stages
    ('0', '2')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from headstart.backbone import Backbone, State

FORWARD_TOLERANCE = 1e-5
"""Largest difference between the parts run one after the other and the whole, relative to the output."""
GRADIENT_TOLERANCE = 1e-4
"""Largest difference in a gradient, relative to the largest gradient of the suffix."""


def check_backbone(
    module: nn.Module,
    inputs: Tensor | Mapping[str, Any],
    stages: Mapping[str, str] | Sequence[str] | None = None,
    cuts: Literal["few", "all"] = "few",
) -> Backbone:
    """Check that a network can be cut exactly: outputs, gradients, slices and joins of its states, pooled vectors.

    Args:
        module: a network of float32 in eval mode, its parameters requiring gradients.
        inputs: three items or more, padded ones among them if it takes a mask.
        stages: its stages; None: found.
        cuts: "few": the first, a middle and the last; "all": every cut, 0 and n_stages included.

    Returns:
        The backbone, used once.

    Raises:
        AssertionError: a check fails; the message says which, at which cut and by how much.
    """
    backbone = Backbone(module, stages)
    last = backbone.n_stages - 1
    chosen = range(backbone.n_stages + 1) if cuts == "all" else sorted({1, backbone.n_stages // 2, last})
    expected = floats(backbone(inputs))
    weights = [torch.randn(part.shape, generator=torch.Generator().manual_seed(0)) for part in expected]
    gradients = _gradients(module, expected, weights)
    for cut in chosen:
        state = backbone.prefix(inputs, cut)
        output = floats(backbone.suffix(state, cut))
        for got, whole in zip(output, expected, strict=True):
            _close(got, whole, FORWARD_TOLERANCE, f"cut {cut}: the output")
        if cut < backbone.n_stages:
            _check_gradients(backbone, cut, _gradients(module, output, weights), gradients)
        _check_items(backbone, state, cut, output)
        if 0 < cut < backbone.n_stages:
            _check_one_pass(backbone, state, cut, inputs)
    return backbone


def floats(output: Any) -> list[Tensor]:
    """Return the tensors of floating point in a network's output."""
    leaves = tree_leaves(output)
    return [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.dtype.is_floating_point]


def _gradients(module: nn.Module, output: list[Tensor], weights: list[Tensor]) -> dict[str, Tensor]:
    """Gradients of a fixed random projection of the output, by the parameter's name."""
    named = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
    loss = torch.stack([(part * weight).mean() for part, weight in zip(output, weights, strict=True)]).sum()
    got = torch.autograd.grad(loss, list(named.values()), allow_unused=True, retain_graph=True)
    return {name: gradient for name, gradient in zip(named, got, strict=True) if gradient is not None}


def _check_gradients(
    backbone: Backbone, cut: int, got: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> None:
    suffix = [name for name in expected if backbone.stage_of(name) >= cut]
    scale = max((float(expected[name].abs().max()) for name in suffix), default=0.0)
    for name in suffix:
        if name not in got:
            raise AssertionError(f"cut {cut}: no gradient reaches '{name}'")
        _close(got[name], expected[name], GRADIENT_TOLERANCE, f"cut {cut}: the gradient of '{name}'", scale)


def _check_items(backbone: Backbone, state: State, cut: int, output: list[Tensor]) -> None:
    """Slices joined again are the same state, and a reordered state gives reordered outputs."""
    n_items = len(state)
    again = State.join([state[:1], state[1:]])
    for name, tensor in state.tensors.items():
        if not torch.equal(again.tensors[name], tensor):
            raise AssertionError(f"cut {cut}: '{name}' is not the same after slicing and joining")
    order = torch.arange(n_items - 1, -1, -1)
    with torch.no_grad():
        reordered = floats(backbone.suffix(state[order], cut))
    for got, whole in zip(reordered, output, strict=True):
        if whole.shape[0] == n_items:
            _close(got, whole[order], FORWARD_TOLERANCE, f"cut {cut}: the output of reordered items")


def _check_one_pass(backbone: Backbone, state: State, cut: int, inputs: Tensor | Mapping[str, Any]) -> None:
    """A whole pass notes the same state at the cut as a pass that stops there, and its vectors do not change."""
    vectors, noted = backbone.pooled_and_state(inputs, cut)
    if noted.layout != state.layout:
        raise AssertionError(f"cut {cut}: the state noted in a whole pass has another layout")
    for name, tensor in state.tensors.items():
        _close(
            noted.tensors[name].float(),
            tensor.float(),
            FORWARD_TOLERANCE,
            f"cut {cut}: '{name}' noted in a pass",
        )
    for index, (got, alone) in enumerate(zip(vectors, backbone.pooled(inputs), strict=True)):
        _close(got, alone, FORWARD_TOLERANCE, f"cut {cut}: the vector of stage {index}")


def _close(got: Tensor, expected: Tensor, tolerance: float, what: str, scale: float | None = None) -> None:
    if got.shape != expected.shape:
        raise AssertionError(f"{what} has shape {tuple(got.shape)}, expected {tuple(expected.shape)}")
    largest = float(expected.detach().abs().max()) if scale is None else scale
    difference = float((got - expected).detach().abs().max())
    if not difference <= tolerance * largest + 1e-9:
        raise AssertionError(f"{what} differs by {difference:.3g} where the largest value is {largest:.3g}")
