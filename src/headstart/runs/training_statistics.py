"""training_statistics.safetensors: a summary of the features that a run's head reads, on the items it learned from.

With it a run can be adapted when its training items are no longer at hand (`headstart adapt RUN TARGET`,
`headstart predict RUN DATA --adapt`). It holds class means and a shared covariance, and no item.

    version                int64, 1
    counts                 int64 (C,)
    means                  (C, D)
    deviation, residual    (D,)
    axes                   (K, D), K at most 64
    variances              (K,)
    penalty                one number; nan: not known

Legend: C classes, D features, K axes.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.adapt.summary import MOST_AXES, FeatureSummary
from headstart.errors import InputError, parsing
from headstart.files import open_regular
from headstart.run_files import TRAINING_STATISTICS
from headstart.runs.array_file import REMEDY, load_arrays
from headstart.runs.directory import RunDirectory

if TYPE_CHECKING:
    from headstart.heads import Head

VERSION = 1
_LARGEST = 1e15  # above it virtual items would not be finite; a variance is compared by its root
_ARRAYS = ("counts", "means", "deviation", "axes", "variances", "residual")
_MOST_ITEMS = 2**53  # above it a share is not exact


def save_statistics(run: RunDirectory, summary: FeatureSummary) -> None:
    """Write the summary to a run that is being made.

    Args:
        run: its folder.
        summary: of the features that its head reads.

    Raises:
        DiskFullError: no room is left.
    """
    import torch

    from headstart.runs.weights import save_tensors

    arrays = {name: torch.from_numpy(np.array(getattr(summary, name))) for name in _ARRAYS}
    penalty = torch.tensor(math.nan if summary.penalty is None else summary.penalty, dtype=torch.float32)
    save_tensors(
        run.file(TRAINING_STATISTICS), {**arrays, "penalty": penalty, "version": torch.tensor(VERSION)}
    )


def has_statistics(run: Path) -> bool:
    """Whether a run holds a summary, or something else of its name.

    Args:
        run: its folder.
    """
    return os.path.lexists(run / TRAINING_STATISTICS)


def load_statistics(run: Path, head: Head) -> FeatureSummary:
    """Read the summary of a run.

    Args:
        run: its folder.
        head: of the run, for the number of classes and features.

    Raises:
        InputError: the file is missing, damaged, of another version, or does not fit the head.
    """
    path, n_classes, width = run / TRAINING_STATISTICS, len(head.classes), head.n_features
    with parsing(path, "training statistics", REMEDY), open_regular(path) as file:
        n_bytes = os.fstat(file.fileno()).st_size
    if n_bytes > _most_bytes(n_classes, width):
        raise InputError(f"{path} is damaged: it is larger than the statistics of this run can be; {REMEDY}")
    found = load_arrays(run, TRAINING_STATISTICS, "training statistics", VERSION)
    if fault := _fault(found, n_classes, width):
        raise InputError(f"{path} is damaged: {fault}; {REMEDY}")
    penalty = float(found["penalty"])
    return FeatureSummary(
        **{name: found[name] for name in _ARRAYS}, penalty=None if math.isnan(penalty) else penalty
    )


def _most_bytes(n_classes: int, width: int) -> int:
    """Of a file for a head of this size with its header; later versions may hold more."""
    return 4 * (8 * n_classes + 4 * width * (n_classes + MOST_AXES + 2)) + 2**16


def _fault(found: dict[str, Any], n_classes: int, width: int) -> str:
    """What is wrong with the arrays; "" if nothing is."""
    missing = [name for name in (*_ARRAYS, "penalty") if name not in found]
    if missing:
        return f"it has no {missing[0]}"
    n_axes = len(found["variances"]) if found["variances"].ndim == 1 else -1
    shapes = {
        "counts": (n_classes,),
        "means": (n_classes, width),
        "deviation": (width,),
        "axes": (n_axes, width),
        "variances": (n_axes,),
        "residual": (width,),
        "penalty": (),
    }
    for name, shape in shapes.items():
        kind = np.int64 if name == "counts" else np.float32
        if found[name].shape != shape or found[name].dtype != kind:
            return f"{name} must be {np.dtype(kind)} of shape {shape}, got {found[name].dtype} of {found[name].shape}"
    if n_axes > MOST_AXES:
        return f"it has {n_axes} axes, at most {MOST_AXES} are possible"
    if not all(np.isfinite(found[name]).all() for name in _ARRAYS):
        return "it holds a value that is not finite"
    if not (np.isfinite(found["penalty"]) or np.isnan(found["penalty"])):
        return "penalty must be a number, or nan where it is not known"
    negative = [name for name in ("counts", "deviation", "variances", "residual") if (found[name] < 0).any()]
    if negative or found["penalty"] < 0:
        return f"{(*negative, 'penalty')[0]} must not be negative"
    largest = {name: float(np.abs(found[name]).max(initial=0.0)) for name in _ARRAYS[1:]}
    for name in ("variances", "residual"):
        largest[name] = math.sqrt(largest[name])
    if too_large := [name for name in largest if largest[name] > _LARGEST]:
        return f"{too_large[0]} holds a value that no features have"
    return "" if 0 < sum(found["counts"].tolist()) <= _MOST_ITEMS else "it counts no item, or too many"
