"""`predict --windows`: every window of a long recording is predicted, and the recording by their mean.

Legend: N recordings, W windows of all of them, C outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.data.audio_windows import Windows

if TYPE_CHECKING:
    from headstart.data import Examples


def by_windows(
    examples: Examples,
    seconds: np.ndarray,
    window_seconds: float,
    predict: Callable[[Sequence[Any]], np.ndarray],
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Predict recordings window by window.

    Args:
        examples: N recordings that can be read.
        seconds: of each, of shape (N,).
        window_seconds: length of a window.
        predict: from recordings to what the model gives for them, of shape (n, C).

    Returns:
        The name of each of W windows; what the model gives for them, of shape (W, C); the mean for each recording, of
        shape (N, C).
    """
    windows = Windows(examples.items, seconds, window_seconds)
    outputs_WC = predict(windows)
    names = [
        f"{examples.names[at]} [{start:.2f} to {end:.2f} s]"
        for at, start, end in zip(windows.recording, windows.starts, windows.ends, strict=True)
    ]
    totals_NC = np.zeros((len(examples), outputs_WC.shape[1]))
    np.add.at(totals_NC, windows.recording, outputs_WC)
    means_NC = totals_NC / np.bincount(windows.recording, minlength=len(examples))[:, None]
    return names, outputs_WC, means_NC.astype(outputs_WC.dtype)
