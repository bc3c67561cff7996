"""`predict --windows`: every window of a long recording is predicted, and the recording by their mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from headstart.data.audio_windows import Windows
from headstart.runs.predictions import Predictions

if TYPE_CHECKING:
    from headstart.data import AudioPreprocessing, Examples
    from headstart.runs.model import Model


def by_windows(
    model: Model, examples: Examples, seconds: np.ndarray, threads: int | None
) -> tuple[Predictions, np.ndarray]:
    """Predict recordings window by window.

    Args:
        model: of a run on recordings.
        examples: n_items recordings that can be read.
        seconds: of each, of shape (n_items,).
        threads: cores to use; None: those this process may use.

    Returns:
        The predictions of every window, and their mean for each recording, of shape (n_items, n_classes).
    """
    preprocessing = cast("AudioPreprocessing", model.preprocessing)
    windows = Windows(examples.items, seconds, preprocessing.window_seconds)
    found = model.probabilities(windows, None, False, threads)
    names = [
        f"{examples.names[at]} [{start:.2f} to {end:.2f} s]"
        for at, start, end in zip(windows.recording, windows.starts, windows.ends, strict=True)
    ]
    totals = np.zeros((len(examples), len(model.classes)))
    np.add.at(totals, windows.recording, found)
    means = totals / np.bincount(windows.recording, minlength=len(examples))[:, None]
    return Predictions(names, model.classes, found, task=model.task), means.astype(found.dtype)
