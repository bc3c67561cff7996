"""The best of three learning rates for a peer, so that it is not judged by a default made for other networks.

Each rate is trained on the training part less the items that headstart sets aside as validation with the same seed,
and scored on those; the best one (of equal ones the default) then trains on the whole training part. Only this last
training counts in a table of seconds. What was tried is kept, so that a stopped search is resumed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.sides import Work

RATES: dict[str, tuple[str, tuple[float, float, float]]] = {
    "trainer": ("learning_rate", (5e-5, 2e-4, 1e-3)),
    "fastai": ("base_lr", (2e-3, 5e-4, 8e-3)),
    "autogluon": ("optim.lr", (1e-4, 3e-4, 1e-3)),
}
"""Per side the name of the rate and three of them, the side's default first."""


def with_best_rate(
    work: Work, tried: dict[str, float], run: Callable[[Work], dict[str, Any]], keep: Callable[[], None]
) -> Work:
    """The same work at the best of the side's three rates.

    Args:
        work: what is to be done on the whole training part.
        tried: accuracy on the validation part by rate; what is missing is added.
        run: does a work.
        keep: writes down what was tried.
    """
    option, rates = RATES[work.side]
    validation: list[int] | None = None
    for rate in rates:
        if f"{rate:g}" not in tried:
            validation = validation or validation_rows(work)
            trial = replace(work, options={**work.options, option: rate}, validation=validation)
            tried[f"{rate:g}"] = run(trial)["accuracy"]
            keep()
    best = max(rates, key=lambda rate: tried[f"{rate:g}"])
    return replace(work, options={**work.options, option: best})


def chosen_rate(tried: dict[str, float]) -> str:
    """The rate that was chosen, as it is kept; of equal ones the one tried first."""
    return max(tried, key=lambda rate: tried[rate])


def validation_rows(work: Work) -> list[int]:
    """The rows of the training part that headstart sets aside by itself with the seed of the work."""
    import numpy as np

    from headstart.data import DataSet, holdout_indices

    with tempfile.TemporaryDirectory() as temporary:
        path = work.data.data(work.seed, Path(temporary), small=work.small)
        data = DataSet.read(path, seed=work.seed, threads=1)
        train = data.positions("train")
        units = None if data.units is None else data.units[train]
        _, aside = holdout_indices(np.asarray(data.strata)[train], units, 0.15, work.seed)
        names = [_file_of(data.examples.names[position]) for position in train[aside]]
    if work.data.modality == "text":
        return sorted(int(row) for row in aside)  # the table has the training rows first, in their order
    rows = {_file_of(item): row for row, item in enumerate(replace(work, validation=None).split.train)}
    return sorted(rows[name] for name in names)


def _file_of(path: object) -> tuple[str, ...]:
    """Folder of the class and name of a picture, which name it among those of its part."""
    return Path(str(path)).parts[-2:]
