"""Long recordings and texts: which part a source does not see, and how much a few long ones slow down all others."""

from __future__ import annotations

import numpy as np

from headstart.data.examples import Examples
from headstart.data.findings import Finding, about, listed
from headstart.data.preprocessing import (
    ALIKE_SECONDS,
    AudioPreprocessing,
    Preprocessing,
    TextPreprocessing,
    with_window,
)
from headstart.data.scanning import Scan
from headstart.data.texts import n_cut_texts

_MUCH_PADDING = 0.75
_FEW_LONG = 0.05


def check_lengths(examples: Examples, scan: Scan, preprocessing: Preprocessing) -> list[Finding]:
    """Long items: which part the source does not see, and how much a few of them slow down all others.

    Args:
        examples: N items.
        scan: for the durations.
        preprocessing: the source's, with its longest window or text; for audio with the window of the items that
            are not held out.

    Returns:
        Findings if recordings or texts are cut, or if most of the computation is padding; else [].
    """
    if isinstance(preprocessing, AudioPreprocessing) and scan.seconds is not None:
        held_out = np.zeros(len(examples), bool) if examples.splits is None else examples.splits == "test"
        learned = np.flatnonzero(~held_out)
        return [
            *_long_recordings(examples, scan.seconds, preprocessing.max_seconds),
            *_beyond_window(examples, scan.seconds, held_out, preprocessing),
            *_padded_recordings(examples.take(learned), scan.seconds[learned], preprocessing),
        ]
    if isinstance(preprocessing, TextPreprocessing):
        n_cut = n_cut_texts([str(item) for item in examples.items], preprocessing)
        if n_cut:
            share = n_cut / len(examples)
            message = f"Longer than the source's {preprocessing.max_length} tokens: {n_cut:,} of "
            message += f"{len(examples):,} texts ({share:.1%}). Only their beginning is used."
            return [Finding("cut", "warning" if share > 0.05 else "note", message, (), n_cut)]
    return []


def _long_recordings(examples: Examples, seconds: np.ndarray, limit: float | None) -> list[Finding]:
    if limit is None or not (seconds > limit + ALIKE_SECONDS).any():
        return []
    names = examples.names[np.flatnonzero(seconds > limit + ALIKE_SECONDS)]
    message = f"Longer than {limit:g} s: {len(names):,} of {len(examples):,} recordings (the longest "
    message += f"{np.nanmax(seconds):,.0f} s). Only their first {limit:g} s are used."
    return [about("cut", "warning", message, names)]


def _beyond_window(
    examples: Examples, seconds: np.ndarray, held_out: np.ndarray, preprocessing: AudioPreprocessing
) -> list[Finding]:
    """A warning about held-out recordings that are longer than all others, which the window was not made for."""
    if preprocessing.window_samples is None:
        return []
    window = preprocessing.window_seconds
    longer = held_out & (seconds > window + ALIKE_SECONDS)
    if not longer.any() or (preprocessing.max_seconds is not None and window >= preprocessing.max_seconds):
        return []  # the source takes no more: reported by `_long_recordings`
    names = examples.names[longer]
    message = f"Longer than {window:g} s, the window of the recordings learned from: {len(names):,} of "
    message += (
        f"{held_out.sum():,} held-out recordings (the longest {seconds[longer].max():,.1f} s). Only their "
    )
    message += f"first {window:g} s are used."
    return [about("cut", "warning", message, names)]


def _padded_recordings(
    examples: Examples, seconds: np.ndarray, preprocessing: AudioPreprocessing
) -> list[Finding]:
    """A warning if a few long recordings give all others a window that is mostly padding."""
    if preprocessing.window_samples is None or not len(seconds):
        return []
    window = preprocessing.window_seconds
    padding = 1.0 - float(np.nanmean(np.minimum(seconds, window))) / window
    n_few = max(1, int(_FEW_LONG * len(seconds)))
    others = with_window(preprocessing, np.sort(seconds)[:-n_few]).window_samples or 0
    needed = others / preprocessing.rate_hz
    if padding <= _MUCH_PADDING or needed > window / 2:
        return []
    long = np.flatnonzero(seconds > needed)
    long = long[np.argsort(-seconds[long], kind="stable")]
    message = (
        f"The longest of {len(examples):,} recordings lasts {seconds[long[0]]:,.1f} s, so all of them are "
    )
    message += f"computed in a window of {window:g} s: {padding:.0%} of that is padding. {needed:g} s would be enough "
    message += f"without {listed(examples.names[long], 3)}: cut the long ones, or leave them out."
    return [about("padding", "warning", message, examples.names[long])]
