"""Predict new items with a finished run. Every run is executed as its program, model.pt2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.errors import DataError
from headstart.progress import progress, say
from headstart.tasks import task_named
from headstart.units import UNITS

if TYPE_CHECKING:
    from headstart.data import Examples
    from headstart.runs import Predictions

BATCH_SIZE = 32


def predict(
    run: str | Path,
    data: str | Path | Sequence[Any],
    *,
    out: str | Path | None = None,
    threads: int | None = None,
) -> Predictions:
    """Predict items with a finished run.

    Args:
        run: the run's folder.
        data: a folder, a table, one file, a .txt with one text per line, or a list of paths or texts; labels
            are not needed; if the data has labels, they are kept with the predictions.
        out: a .csv or .parquet file to write.
        threads: cores to use; None: those this process may use.

    Returns:
        Items, classes, probabilities and, if known, labels.

    Raises:
        InputError: the run or the data cannot be read, or `out` has another ending.
    """
    from headstart.data import preprocessing_from_json
    from headstart.files import read_json
    from headstart.runs import Predictions, RunDirectory
    from headstart.runs.predictions import check_ending

    if out is not None:
        check_ending(Path(out))
    directory = RunDirectory.open(run)
    preprocessing = preprocessing_from_json(read_json(directory.file("source.json"))["preprocessing"])
    described = read_json(directory.file("head.json"))
    classes = tuple(described["classes"])
    examples, labels_known = _read(data, preprocessing.modality, run)
    examples = _readable(examples, threads)
    program = directory.file("model.pt2")
    predictions = Predictions(
        items=examples.names.tolist(),
        classes=classes,
        probabilities=run_items(program, examples.items, preprocessing, len(classes), threads),
        labels=examples.labels.tolist() if labels_known and examples.labels is not None else None,
        task=task_named(described.get("task")).name,
    )
    if out is not None:
        predictions.write(Path(out))
    return predictions


def _read(data: str | Path | Sequence[Any], modality: Any, run: str | Path) -> tuple[Examples, bool]:
    """The items to predict, and whether every one has a label: scores need all of them.

    Raises:
        DataError: they are of another modality than the run's.
    """
    from headstart.data import Examples, read_examples

    if isinstance(data, str | Path):
        examples = read_examples(data, labels="as written", modality=modality)
    else:
        examples = Examples.from_lists(data, modality=modality)
    if examples.modality != modality:
        raise DataError(f"the run {run} takes {modality}, and the data holds {examples.modality}")
    return examples, bool(examples.labelled.all())


def run_items(
    program: Path, items: Sequence[Any], preprocessing: Any, n_classes: int, threads: int | None = None
) -> np.ndarray:
    """Run a program over items.

    Args:
        program: a model.pt2.
        items: files, texts or arrays.
        preprocessing: what turns them into the program's inputs.
        n_classes: width of the result.
        threads: cores to use.

    Returns:
        Probabilities (or values) of shape (n_items, n_classes), float32, in the order of the items.
    """
    import torch

    from headstart.data import load_batches, plan_batches
    from headstart.features.device import torch_threads
    from headstart.processes import available_cores
    from headstart.runs.program import run_program

    n_threads = threads or available_cores()
    module = run_program(program)
    probabilities = np.zeros((len(items), n_classes), np.float32)
    batches = plan_batches(items, preprocessing, batch_size=BATCH_SIZE)
    with (
        progress("Predicting", len(items), UNITS[preprocessing.modality]) as advance,
        torch_threads(n_threads),
    ):
        for positions, inputs in load_batches(items, preprocessing, batches, threads=n_threads, exact=True):
            with torch.inference_mode():
                probabilities[positions] = module(*inputs.values()).numpy()
            advance(len(positions))
    return probabilities


def _readable(examples: Examples, threads: int | None) -> Examples:
    """The items that can be read; the others are reported, and missing from the result."""
    from headstart.data import scan
    from headstart.processes import available_cores

    found = scan(examples.items, examples.modality, threads=threads or available_cores())
    for index, problem in found.problems.items():
        say(f"left out: {examples.names[index]}: {problem}")
    if len(found.problems) == len(examples):
        raise DataError(f"no item can be read. The first is {examples.names[0]}: {found.problems[0]}")
    return examples.take([index for index in range(len(examples)) if index not in found.problems])
