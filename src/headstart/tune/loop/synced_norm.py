"""Batch normalisation over the whole batch when several processes share it.

Each process holds a few items of a batch; normalised over these alone, training would be another one. Here
the sums that make mean and variance are added up over all processes, gradients included, so that the result
is that of one process with the whole batch, up to rounding. torch's own SyncBatchNorm does the same on GPUs
only, and by replacing the modules; here they stay as they are, and so do their names.

Legend: N items, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from headstart import processes


class SyncedNorms:
    """The batch normalisation of a network, over all processes.

    Args:
        network: whose layers are synchronised in train mode, within `applied()`.

    Attributes:
        counts: whether this process's items are of the batch; False where it only takes part.
    """

    def __init__(self, network: nn.Module) -> None:
        batch_norm = nn.modules.batchnorm._BatchNorm
        self.modules = [module for module in network.modules() if isinstance(module, batch_norm)]
        self.counts = True

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Synchronise for the length of a block."""
        before = [module.__dict__.get("forward") for module in self.modules]
        try:
            for module in self.modules:
                module.__dict__["forward"] = _Synced(module, module.forward, self)
            yield
        finally:
            for module, own in zip(self.modules, before, strict=True):
                del module.__dict__["forward"]
                if own is not None:
                    module.__dict__["forward"] = own


class _Synced:
    """A layer's forward, in which `batch_norm` is that over all processes."""

    def __init__(self, module: nn.Module, forward: Any, norms: SyncedNorms) -> None:
        self.module, self.forward, self.norms = module, forward, norms

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.module.training:
            return self.forward(*args, **kwargs)
        with _OverAll(self.norms.counts):
            return self.forward(*args, **kwargs)


class _OverAll(TorchFunctionMode):
    def __init__(self, counts: bool) -> None:
        super().__init__()
        self.counts = counts

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.batch_norm:
            return synced_batch_norm(*args, **(kwargs or {}), counts=self.counts)
        return func(*args, **(kwargs or {}))


def synced_batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    counts: bool = True,
) -> Tensor:
    """torch.nn.functional.batch_norm with the statistics of the items of all processes.

    Args:
        input: of shape (N, C, ...); the running statistics, weight and bias are of shape (C,).
        counts: whether the items of this process go into the statistics.
    """
    if not training:
        return functional.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    x = input.float()
    axes = [axis for axis in range(x.ndim) if axis != 1]
    share = 1.0 if counts else 0.0
    n_C = x.new_full((x.shape[1],), share * x.numel() / x.shape[1])
    n_C, sum_C = _sum_over_all(torch.stack([n_C, share * x.sum(axes)]))
    n_C = n_C.detach()
    shape = [1, -1] + [1] * (x.ndim - 2)
    mean_C = sum_C / n_C
    centred = x - mean_C.view(shape)
    squares_C = _sum_over_all(share * centred.square().sum(axes))
    variance_C = squares_C / n_C
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            running_mean.lerp_(mean_C.to(running_mean.dtype), momentum)
            unbiased_C = squares_C / (n_C - 1).clamp(min=1)
            running_var.lerp_(unbiased_C.to(running_var.dtype), momentum)
    normal = centred * torch.rsqrt(variance_C + eps).view(shape)
    if weight is not None:
        normal = normal * weight.view(shape)
    if bias is not None:
        normal = normal + bias.view(shape)
    output: Tensor = normal.to(input.dtype)
    return output


class _SumOverAll(torch.autograd.Function):
    """The sum over all processes; so is its gradient."""

    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        return processes.total(tensor)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return processes.total(gradients[0].contiguous())


def _sum_over_all(tensor: Tensor) -> Tensor:
    summed: Tensor = _SumOverAll.apply(tensor)
    return summed
