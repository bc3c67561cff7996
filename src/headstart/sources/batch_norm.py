"""A network whose batch normalisation has the statistics of one domain in place of those it was trained with.

    mean = (1 - s) mean_items + s mean_source,   variance likewise,   s = max(0, 16 - n) / 16

for each channel, over n items and all positions (Li et al. 2016, "Revisiting batch normalization for practical domain
adaptation"; Schneider et al. 2020, "Improving robustness against common corruptions by covariate shift adaptation",
equation 3 with N = 16 - n items of the source). So the items alone count from 16 on, and below that the source stands
in for the missing ones. Nothing is trained, and gain and shift of the normalisation do not change.

The statistics come from one pass: each layer normalises a batch with the batch's own statistics, and those of all
batches are pooled. Items are taken in the order of their digests, so that neighbours are not of one class, and what
results does not depend on the order of the data.

When not to use it: where the classes of the domain have very different shares than in pretraining, the mean of a
channel moves with them; and a domain of one class cannot be told from a shift.

Legend: N items, C channels, P positions of all items together.

Example:
    adapted = with_statistics_of(source, items, digests, threads=2)
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.data.items import take_items
from headstart.data.loading import load_batches
from headstart.errors import DataError, SourceError
from headstart.progress import progress
from headstart.sources.source import Source

MAX_ITEMS = 2048  # more do not change the statistics: each item gives thousands of positions
ENOUGH_ITEMS = 16
BATCH_SIZE = 64


def has_batch_norm(network: nn.Module) -> bool:
    """Whether a network has batch normalisation with stored statistics, frozen or joined with an activation or not.

    Args:
        network: norms that were folded into convolutions are gone, and do not count.
    """
    return any(True for _ in _norms(network))


def with_statistics_of(
    source: Source,
    items: Sequence[Any],
    digests: np.ndarray,
    *,
    threads: int = 1,
    device: torch.device | str = "cpu",
) -> Source:
    """Return the source with the batch-norm statistics of the items of one domain.

    Args:
        source: gives the network; it is not changed.
        items: n_items files, texts or arrays; of more than `MAX_ITEMS` the first by digest are used.
        digests: of shape (n_items,), text: the digest of each item's content.
        threads: that decode.
        device: where the pass runs.

    Returns:
        A source with a network and a digest of its own; a run of it opens like any other.

    Raises:
        SourceError: the network has no batch normalisation, or the items give it values that are not finite.
        DataError: there are no items, or one cannot be decoded.
    """
    if not has_batch_norm(source.network):
        raise SourceError(
            f"{source.provenance.architecture} has no batch normalisation, so it has no statistics of a domain: "
            "adapt its features instead."
        )
    if not len(items):
        raise DataError("statistics of batch normalisation need at least one item")
    chosen = np.argsort(np.asarray(digests).astype(str), kind="stable")[:MAX_ITEMS]
    batches = np.array_split(np.arange(len(chosen)), -(-len(chosen) // BATCH_SIZE))  # none is nearly empty
    loaded = load_batches(
        take_items(items, chosen), source.preprocessing, batches, threads=threads, digests=digests[chosen]
    )
    network = copy.deepcopy(source.network).eval()
    _measure(network, (inputs for _, inputs in loaded), len(chosen), torch.device(device))
    digest = hashlib.sha256(f"{source.digest} batch norm of {' '.join(digests[chosen])}".encode()).hexdigest()
    return replace(source, network=network, digest=digest)


def _norms(network: nn.Module) -> Iterator[nn.Module]:
    """The layers with stored statistics, of any class: PyTorch's, timm's with an activation, frozen ones."""
    for module in network.modules():
        mean, variance = getattr(module, "running_mean", None), getattr(module, "running_var", None)
        is_pair = isinstance(mean, Tensor) and isinstance(variance, Tensor) and mean.shape == variance.shape
        if is_pair and not isinstance(module, nn.modules.instancenorm._InstanceNorm):
            yield module


def _measure(
    network: nn.Module, batches: Iterable[Mapping[str, Tensor]], n_items: int, device: torch.device
) -> None:
    """Replace the statistics of a network by those of batches of inputs."""
    network.to(device)
    prior = max(0, ENOUGH_ITEMS - n_items) / ENOUGH_ITEMS
    pooled = [_Pooled(norm, prior) for norm in _norms(network)]
    with (
        _normalising_by_batch(pooled),
        torch.no_grad(),
        progress("Batch-norm statistics", n_items) as advance,
    ):
        for inputs in batches:
            network(**{name: value.to(device) for name, value in inputs.items()})
            advance(len(next(iter(inputs.values()))))
    for statistics in pooled:
        statistics.store()
    network.to("cpu")


@contextmanager
def _normalising_by_batch(pooled: Sequence[_Pooled]) -> Iterator[None]:
    handles = [statistics.norm.register_forward_pre_hook(statistics.add) for statistics in pooled]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Pooled:
    """The statistics of one layer over all batches, as sums in float64.

    Args:
        norm: the layer.
        prior: share s of the source's statistics.
    """

    def __init__(self, norm: Any, prior: float) -> None:
        self.norm = norm
        self.prior = prior
        self.source = (norm.running_mean.double(), norm.running_var.double())
        self.n_positions = 0
        self.sum_C = torch.zeros_like(self.source[0])
        self.squares_C = torch.zeros_like(self.source[0])

    def add(self, norm: nn.Module, args: tuple[Tensor, ...]) -> None:
        """Count a batch of shape (N, C, ...), and let the layer normalise it by its own statistics."""
        n_positions = args[0].numel() // args[0].shape[1]
        mean_C, variance_C = _mean_and_variance(args[0], n_positions)
        self.n_positions += n_positions
        self.sum_C += n_positions * mean_C
        self.squares_C += n_positions * (variance_C + mean_C.square())
        self._set(mean_C, variance_C)

    def store(self) -> None:
        """Give the layer the statistics of all batches, the variance unbiased as PyTorch stores it."""
        if self.n_positions == 0:
            self._set(*self.source)  # a layer that the network does not use
            return
        mean_C = self.sum_C / self.n_positions
        variance_C = (self.squares_C / self.n_positions - mean_C.square()).clamp(min=0)
        self._set(mean_C, variance_C * (self.n_positions / max(self.n_positions - 1, 1)))

    def _set(self, mean_C: Tensor, variance_C: Tensor) -> None:
        of_items = (mean_C, variance_C)
        if not all(bool(torch.isfinite(value).all()) for value in of_items):
            raise SourceError(
                "the items give batch normalisation values that are not finite: look for broken weights or inputs"
            )
        pairs = zip((self.norm.running_mean, self.norm.running_var), of_items, self.source, strict=True)
        for buffer, new, old in pairs:
            buffer.copy_((1 - self.prior) * new + self.prior * old)


def _mean_and_variance(x: Tensor, n_positions: int) -> tuple[Tensor, Tensor]:
    """The mean and the biased variance of each channel of a batch of shape (N, C, ...), float64.

    By the kernel of batch normalisation itself, which is several times as fast as torch.var_mean on channels-last maps.
    """
    if n_positions == 1:
        return x.flatten().double(), torch.zeros_like(x.flatten(), dtype=torch.float64)
    mean_C, variance_C = x.new_zeros(x.shape[1]), x.new_ones(x.shape[1])
    functional.batch_norm(x, mean_C, variance_C, training=True, momentum=1.0)
    return mean_C.double(), variance_C.double() * ((n_positions - 1) / n_positions)
