"""What a program takes: example tensors by modality, the axes left open, and other sizes to check it at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

MAX_BATCH = 65_536


@dataclass(frozen=True)
class Inputs:
    """What a program takes: example tensors, the axes left open, and other sizes to check it at.

    Attributes:
        example: one tensor an argument, in the order of `forward`.
        open_axes: for each argument, axis -> (name, least, greatest); one name is one size.
        checks: tuples like `example`, of other sizes.
        names: of the arguments.
    """

    example: tuple[Tensor, ...]
    open_axes: tuple[Mapping[int, tuple[str, int, int]], ...]
    checks: tuple[tuple[Tensor, ...], ...]
    names: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Whether an axis of that name is open."""
        return any(spec[0] == name for axes in self.open_axes for spec in axes.values())

    def without(self, name: str) -> Inputs:
        """The same with an axis fixed at its size in the example."""
        axes = tuple(
            {axis: spec for axis, spec in each.items() if spec[0] != name} for each in self.open_axes
        )
        fixed = [{axis for axis, spec in each.items() if spec[0] == name} for each in self.open_axes]

        def fits(check: tuple[Tensor, ...]) -> bool:
            pairs = zip(check, self.example, fixed, strict=True)
            return all(a.shape[axis] == b.shape[axis] for a, b, axes_ in pairs for axis in axes_)

        checks = tuple(check for check in self.checks if fits(check))
        return Inputs(self.example, axes, checks, self.names)


def example_inputs(preprocessing: Mapping[str, Any], vocabulary: int) -> Inputs:
    """Inputs of the model of a run.

    Args:
        preprocessing: `to_json()` of the run's preprocessing.
        vocabulary: text: every whole number below it is a token.
    """
    modality = preprocessing["modality"]
    if modality == "image":
        return image_inputs(*preprocessing["size"])
    if modality == "text":
        return text_inputs(preprocessing["max_length"], preprocessing["pad_id"], vocabulary)
    window, rate_hz = preprocessing["window_samples"], preprocessing["rate_hz"]
    longest = preprocessing.get("max_seconds")
    inputs = audio_inputs(
        window,
        least_samples=min(window, rate_hz // 10),
        most_samples=None if longest is None else max(window, round(longest * rate_hz)),
    )
    return inputs.without("samples") if preprocessing.get("fixed_window") else inputs


def image_inputs(height: int, width: int) -> Inputs:
    """Inputs of an image model: float32 pixels of shape (N, 3, height, width), N open."""
    pixels = torch.randn(5, 3, height, width, generator=_generator())
    return Inputs((pixels[:3],), ({0: ("batch", 1, MAX_BATCH)},), ((pixels[:1],), (pixels,)), ("pixels",))


def text_inputs(max_length: int, pad_id: int, vocabulary: int) -> Inputs:
    """Inputs of a text model: int64 input_ids and attention_mask, both (N, T), with N and T open.

    Args:
        max_length: greatest T.
        pad_id: the token of positions that the mask hides.
        vocabulary: number of tokens.
    """

    def batch(n_items: int, length: int) -> tuple[Tensor, Tensor]:
        length = min(length, max_length)
        ids = torch.randint(0, vocabulary, (n_items, length), generator=_generator())
        ids[ids == pad_id] = (pad_id + 1) % vocabulary
        mask = torch.ones_like(ids)
        mask[0, (length + 1) // 2 :] = 0
        ids[mask == 0] = pad_id
        return ids, mask

    axes = {0: ("batch", 1, MAX_BATCH), 1: ("length", 1, max_length)}
    names = ("input_ids", "attention_mask")
    return Inputs(batch(3, 21), (axes, axes), (batch(1, 9), batch(4, 40)), names)


def audio_inputs(samples: int, least_samples: int = 1, most_samples: int | None = None) -> Inputs:
    """Inputs of an audio model: float32 waveform of shape (N, samples), int64 lengths of shape (N,).

    Args:
        samples: the window of the data set.
        least_samples: the shortest window to allow; most networks need at least a few frames.
        most_samples: the longest window to allow; None: ten minutes at 16 kHz.
    """
    most_samples = most_samples or max(samples, 9_600_000)

    def batch(n_items: int, n_samples: int) -> tuple[Tensor, Tensor]:
        waveform = torch.randn(n_items, n_samples, generator=_generator()) * 0.1
        lengths = torch.full((n_items,), n_samples)
        lengths[0] = max(n_samples * 2 // 3, 1)
        waveform[0, int(lengths[0]) :] = 0
        return waveform, lengths

    axes = {0: ("batch", 1, MAX_BATCH), 1: ("samples", least_samples, most_samples)}
    longer = min(samples * 5 // 4, most_samples)
    other = longer if longer > samples else max(samples * 3 // 4, least_samples)
    checks = (batch(1, samples), batch(4, samples), batch(2, other))
    return Inputs(batch(3, samples), (axes, {0: axes[0]}), checks, ("waveform", "lengths"))


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
