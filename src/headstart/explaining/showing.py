"""Explained items as the report shows them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.explaining.explained import Explained
from headstart.explaining.parts.pictures import PictureParts
from headstart.explaining.parts.recordings import RecordingParts
from headstart.explaining.parts.texts import TextParts
from headstart.report.pages.explain.report import ExplainedItem, PictureView, SoundView, TextView

_REMOVED = 0.2  # share of the parts in the sentence on one item


def shown_item(each: Explained, classes: Sequence[str]) -> ExplainedItem:
    """One item of the report.

    Args:
        each: explained.
        classes: of the run.
    """
    deletion = each.deletion
    step = int(np.argmax(deletion.shares >= _REMOVED - 1e-9))
    return ExplainedItem(
        each.name,
        _view(each),
        classes[each.column],
        float(each.outputs[each.column]),
        each.column == int(each.outputs.argmax()),
        each.parts.places,
        each.attributions,
        round(float(deletion.shares[step]) * each.parts.n_parts),
        float(deletion.explained[step]),
        float(deletion.random[:, step].mean()),
    )


def _view(each: Explained) -> PictureView | TextView | SoundView:
    parts = each.parts
    if isinstance(parts, PictureParts):
        values = each.attributions.reshape(parts.n_side, parts.n_side)
        return PictureView(parts.picture.permute(1, 2, 0).numpy(), values)
    if isinstance(parts, RecordingParts):
        decibels = 20 * np.log10(parts.spectrum_FT.abs().numpy() + 1e-6)
        grid = each.attributions.reshape(-1, parts.n_times)
        values = grid[parts.bands_F.numpy()[:, None], parts.times_T.numpy()[None, :]]
        seconds = parts.n_samples / parts.rate_hz
        return SoundView(each.item, decibels, values, seconds, parts.rate_hz / 2)
    assert isinstance(parts, TextParts)
    return _text_view(parts, each.attributions)


def _text_view(parts: TextParts, attributions: np.ndarray) -> TextView:
    """The text up to its last part, with what lies between parts."""
    pieces: list[tuple[str, float | None]] = []
    done = 0
    for (begin, end), value in zip(parts.spans, attributions, strict=True):
        if begin > done:
            pieces.append((parts.text[done:begin], None))
        pieces.append((parts.text[max(begin, done) : end], float(value)))
        done = max(done, end)
    if parts.text[done:].strip():
        pieces.append((" … (the rest is beyond what the run reads)", None))
    return TextView(tuple(pieces))
