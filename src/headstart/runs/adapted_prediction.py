"""`predict --adapt`: predict a stream of items with features moved and scaled to those of the training items.

The run's network and head take the place of its program, since features are changed between them. Nothing is written
into the run, and memory does not grow with the number of items: only sums of features are kept (see `adapt.stream`).

Legend: N items, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.adapt.shift.class_shares import total_variation
from headstart.adapt.stream import Stream
from headstart.memory import Halving
from headstart.progress import progress, say
from headstart.runs.adaptable import AdaptableRun, open_adaptable
from headstart.units import UNITS, counted

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH_SIZE = 32
FEW_ITEMS = 64
OTHER_SHARES = 0.2  # half the sum of the differences of shares, beyond what chance explains


def adapted_probabilities(
    folder: Path,
    items: Sequence[Any],
    preprocessing: Any,
    threads: int | None = None,
    digests: np.ndarray | None = None,
    stream: Callable[[AdaptableRun], Stream] | None = None,
) -> np.ndarray:
    """Predict items in a drawn order, 32 at a time, and adapt to them on the way.

    Harmful where classes have other shares than in training, or where items come sorted by class; uncertain with few
    items. A warning is printed in these cases.

    Args:
        folder: of the run.
        items: files, texts or arrays.
        preprocessing: what turns them into the network's inputs.
        threads: cores to use.
        digests: (N,) of the items' content as the scan saw it; None: contents are not compared.
        stream: makes the statistics to start from; None: those of the training items.

    Returns:
        Probabilities of shape (N, C), float32, in the order of the items.

    Raises:
        InputError: the run cannot be adapted (see `open_adaptable`), or has a network of code that
            is not part of headstart.
    """
    run = open_adaptable(folder)
    moved = (stream or _from_training)(run)
    probabilities = np.zeros((len(items), len(run.head.classes)), np.float32)
    for positions, x_ND in _features(run, items, preprocessing, threads, digests):
        moved.see(x_ND)
        probabilities[positions] = run.head.outputs(moved.map(x_ND))
    for warning in warnings_of(probabilities.argmax(axis=1), run.summary.shares, run.head.classes):
        say(f"warning: {warning}")
    return probabilities


def _from_training(run: AdaptableRun) -> Stream:
    return Stream(run.summary.mean, run.summary.total_deviation)


def warnings_of(answers_N: np.ndarray, shares_C: np.ndarray, classes: Sequence[str]) -> Iterator[str]:
    """Why the answers of an adapted stream may be worse than those without adapting.

    Args:
        answers_N: classes that were predicted, in the order of the items, of shape (N,).
        shares_C: of the classes in training, of shape (C,).
        classes: their names.
    """
    n_items = len(answers_N)
    if n_items < FEW_ITEMS:
        yield (
            f"--adapt saw only {counted(n_items, 'items')}; below {FEW_ITEMS} their mean and deviation are uncertain, "
            "and leaving it out may be better"
        )
    predicted = np.bincount(answers_N, minlength=len(shares_C)) / n_items
    distance = total_variation(predicted, shares_C)
    by_chance = 0.5 * np.sqrt(2 / np.pi * shares_C * (1 - shares_C) / n_items).sum()
    if distance > OTHER_SHARES + by_chance:
        code = int(np.abs(predicted - shares_C).argmax())
        yield (
            f"classes are predicted in other shares than in training ({classes[code]}: "
            f"{predicted[code]:.0%}, and {shares_C[code]:.0%} in training). If these are the true ones, --adapt moves "
            "features wrongly: leave it out"
        )


def _features(
    run: AdaptableRun,
    items: Sequence[Any],
    preprocessing: Any,
    threads: int | None,
    digests: np.ndarray | None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of each batch, and the features that the head reads, of shape (n_batch, D).

    In a drawn order, always the same: items that lie sorted by class would show one class at a time.
    """
    from headstart.data import load_batches
    from headstart.features.device import torch_threads
    from headstart.processes import available_cores

    pooler = run.network().backbone.pooler().eval()
    halving, n_threads = Halving("Predicting"), threads or available_cores()
    starts = range(0, len(items), BATCH_SIZE)
    order = np.random.default_rng(0).permutation(len(items))
    batches = [order[start : start + BATCH_SIZE] for start in starts]
    with (
        progress("Predicting", len(items), UNITS[preprocessing.modality]) as advance,
        torch_threads(n_threads),
    ):
        loaded = load_batches(items, preprocessing, batches, threads=n_threads, digests=digests, exact=True)
        for positions, inputs in loaded:
            compute = partial(_rows, pooler, tuple(inputs.values()), run.head.stages)
            yield positions, np.concatenate(halving(compute, len(positions)))
            advance(len(positions))


def _rows(pooler: nn.Module, inputs: Sequence[Tensor], stages: Sequence[int], rows: slice) -> np.ndarray:
    import torch

    with torch.inference_mode():
        vectors = pooler(*(tensor[rows] for tensor in inputs))
        found: np.ndarray = torch.cat([vectors[index] for index in stages], dim=1).numpy()
    return found
