"""Run an opened program over items, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.errors import HeadstartError, InputError, one_line
from headstart.memory import Halving
from headstart.progress import progress
from headstart.units import UNITS, counted

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH_SIZE = 32


def run_items(
    module: nn.Module,
    program: Path,
    items: Sequence[Any],
    preprocessing: Any,
    n_classes: int,
    threads: int | None = None,
    digests: np.ndarray | None = None,
    dtype: type[np.floating] = np.float32,
) -> np.ndarray:
    """Run a program over items.

    Args:
        module: the program, opened.
        program: its file, for messages.
        items: files, texts or arrays.
        preprocessing: what turns them into the program's inputs.
        n_classes: width of the result.
        threads: cores to use.
        digests: (n_items,) of the items' content as the scan saw it; None: contents are not compared.
        dtype: of the result.

    Returns:
        Probabilities (or values) of shape (n_items, n_classes), in the order of the items.

    Raises:
        InputError: the program fails, or gives another number of values.
        HeadstartError: there is not enough memory for one item.
    """
    from headstart.data import load_batches, plan_batches
    from headstart.features.device import torch_threads
    from headstart.processes import available_cores

    n_threads, halving = threads or available_cores(), Halving("Predicting")
    probabilities = np.zeros((len(items), n_classes), dtype)
    batches = plan_batches(items, preprocessing, batch_size=BATCH_SIZE)
    with (
        progress("Predicting", len(items), UNITS[preprocessing.modality]) as advance,
        torch_threads(n_threads),
    ):
        loaded = load_batches(items, preprocessing, batches, threads=n_threads, digests=digests, exact=True)
        for positions, inputs in loaded:
            values = run_tensors(module, program, tuple(inputs.values()), halving)
            if values.shape[1:] != (n_classes,):
                raise InputError(
                    f"{program} gives {counted(values.shape[-1], 'values')} per item, and the run names "
                    f"{counted(n_classes, 'classes')}; "
                    "make the run again"
                )
            probabilities[positions] = values
            advance(len(positions))
    return probabilities


def run_tensors(module: nn.Module, program: Path, inputs: Sequence[Tensor], halving: Halving) -> np.ndarray:
    """What a program gives for one batch, computed in parts if the memory is too small for all of it.

    Args:
        module: the program, opened.
        program: its file, for messages.
        inputs: one tensor per argument, with the items along the first axis.
        halving: keeps the size of the parts from batch to batch.

    Returns:
        Probabilities or values of shape (n_items, n_classes).

    Raises:
        InputError: the program fails.
        HeadstartError: there is not enough memory for one item.
    """
    try:
        return np.concatenate(halving(partial(_run_rows, module, inputs), len(inputs[0])))
    except HeadstartError:
        raise
    except Exception as error:  # kernels and guards of a program raise many kinds of errors
        raise InputError(
            f"the program in {program} cannot compute these items ({one_line(error)}): if others fail too, copy the "
            "run again, or make it again"
        ) from error


def _run_rows(module: nn.Module, inputs: Sequence[Tensor], rows: slice) -> np.ndarray:
    import torch

    with torch.inference_mode():
        found: np.ndarray = module(*(tensor[rows] for tensor in inputs)).numpy()
    return found
