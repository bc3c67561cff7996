"""Classical features as networks without weights that were learned: so the classical baseline can be a run.

They give what `classical_features` and `classical_text` compute with NumPy and scikit-learn, to rounding (a test
compares them), and can be written to model.pt2. Each is a class for a source of one's own (`sources.library_own`), with
one stage, "features".

Legend: N items, H height, W width, L samples, T frames or tokens, M bands, V words, P pairs of words, D features.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headstart.evidence.classical_features import (
    HOP,
    N_CELLS,
    N_FFT,
    N_ORIENTATIONS,
    PICTURE,
    WINDOW,
    mel_bank,
)


class Histograms(nn.Module):
    """Colour and gradient histograms of pixels of shape (N, 3, 128, 128) from 0 to 1, of shape (N, 832)."""

    stages = ("features",)

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.features = _Histograms()

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the features, of shape (N, D)."""
        found: Tensor = self.features(pixels)
        return found


class LogMel(nn.Module):
    """Log-mel statistics of recordings at 16 kHz, of shape (N, 3 M); `config["form"]` is "absolute" or "relative"."""

    stages = ("features",)

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.features = _LogMel(relative=config["form"] == "relative")

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Return the features, of shape (N, D), of waveforms (N, L) of each clip's own `lengths` samples."""
        found: Tensor = self.features(waveform, lengths)
        return found


class TfIdf(nn.Module):
    """TF-IDF of words and pairs of words, of shape (N, V + P); `config` has `n_words` and `n_pairs`."""

    stages = ("features",)

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.features = _TfIdf(int(config["n_words"]), int(config["n_pairs"]))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the features, of shape (N, D), of the numbers of words and their mask, of shape (N, T)."""
        found: Tensor = self.features(input_ids, attention_mask)
        return found


class _Histograms(nn.Module):
    """`colour_histogram` and `gradient_histogram` of a batch."""

    quarter: Tensor
    cell: Tensor

    def __init__(self) -> None:
        super().__init__()
        height, width = PICTURE.size
        rows, columns = torch.arange(height)[:, None], torch.arange(width)
        quarter = rows * 2 // height * 2 + columns * 2 // width
        cell = rows * N_CELLS // height * N_CELLS + columns * N_CELLS // width
        self.register_buffer("quarter", quarter.flatten())
        self.register_buffer("cell", cell.flatten())

    def forward(self, pixels: Tensor) -> Tensor:
        x_N3HW = (255 * pixels.float()).round().clamp(0, 255)
        return torch.cat([self._colours(x_N3HW), self._gradients(x_N3HW.mean(1))], dim=1)

    def _colours(self, x_N3HW: Tensor) -> Tensor:
        high = torch.div(x_N3HW, 64, rounding_mode="floor").long().flatten(2)
        code = high[:, 0] * 16 + high[:, 1] * 4 + high[:, 2] + 64 * self.quarter
        ones = torch.ones_like(code, dtype=x_N3HW.dtype)
        counts = ones.new_zeros(code.shape[0], 256).scatter_add(1, code, ones)
        return (counts / (code.shape[1] / 4)).sqrt()

    def _gradients(self, grey_NHW: Tensor) -> Tensor:
        down = _gradient(grey_NHW.transpose(1, 2)).transpose(1, 2)
        right = _gradient(grey_NHW)
        strength = torch.hypot(down, right).flatten(1)
        turn = torch.floor(torch.atan2(down, right) / math.pi * N_ORIENTATIONS).long().flatten(1)
        index = self.cell * N_ORIENTATIONS + torch.remainder(turn, N_ORIENTATIONS)
        n_bins = N_CELLS * N_CELLS * N_ORIENTATIONS
        counts = strength.new_zeros(strength.shape[0], n_bins).scatter_add(1, index, strength)
        cells = counts.view(-1, N_CELLS, N_CELLS, N_ORIENTATIONS)
        energy = F.pad(cells.square().sum(-1)[:, None], (1, 1, 1, 1), mode="replicate")
        around = 9 * F.avg_pool2d(energy, 3, stride=1)[:, 0]
        return (cells / (around + 1e-3).sqrt()[..., None]).flatten(1)


def _gradient(x: Tensor) -> Tensor:
    """np.gradient along the last axis."""
    inside = (x[..., 2:] - x[..., :-2]) / 2
    return torch.cat([x[..., 1:2] - x[..., :1], inside, x[..., -1:] - x[..., -2:-1]], dim=-1)


class _LogMel(nn.Module):
    """`describe_audio` of a batch of clips in one window, of which each has its own length."""

    bank: Tensor
    window: Tensor

    def __init__(self, *, relative: bool) -> None:
        super().__init__()
        self.relative = relative
        self.register_buffer("bank", torch.from_numpy(mel_bank().T.copy()))
        self.register_buffer("window", torch.from_numpy(np.hanning(WINDOW).astype(np.float32)))

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        frames = F.pad(waveform.float(), (0, WINDOW)).unfold(1, WINDOW, HOP)  # padded: no clip is too short
        mel_NTM = torch.fft.rfft(frames * self.window, N_FFT).abs().square() @ self.bank
        n_own = torch.div((lengths - WINDOW).clamp(min=0), HOP, rounding_mode="floor") + 1
        own_NT1 = (torch.arange(frames.shape[1], device=waveform.device) < n_own[:, None])[..., None]
        if self.relative:
            loudest = (mel_NTM * own_NT1).amax((1, 2), keepdim=True).clamp(min=1e-10)
            x_NTM = (mel_NTM / loudest).clamp(min=1e-8).log()
        else:
            x_NTM = (mel_NTM + 1e-6).log()
        mean, deviation = _over_time(x_NTM, own_NT1)
        _, change = _over_time(x_NTM[:, 1:] - x_NTM[:, :-1], own_NT1[:, 1:])
        return torch.cat([mean, deviation, change], dim=1)


def _over_time(x_NTM: Tensor, own_NT1: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of a clip's own frames, each of shape (N, M); 0 without a frame."""
    n_own = own_NT1.sum(1).clamp(min=1)
    mean = (x_NTM * own_NT1).sum(1) / n_own
    squares = ((x_NTM - mean[:, None]) * own_NT1).square().sum(1) / n_own
    return mean, squares.sqrt()


class _TfIdf(nn.Module):
    """scikit-learn's TfidfVectorizer (1 + log counts, rows of length 1) on the numbers of words.

    A pair is known by the number first * V + second; the known ones are sorted, so that one is found by bisection.
    """

    pairs: Tensor
    pair_idf: Tensor

    def __init__(self, n_words: int, n_pairs: int) -> None:
        super().__init__()
        self.word_idf = nn.Embedding(n_words, 1)  # 0 for words that are no feature
        self.word_idf.weight.requires_grad_(False)
        self.register_buffer("pairs", torch.zeros(n_pairs, dtype=torch.int64))
        self.register_buffer("pair_idf", torch.zeros(n_pairs))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        n_words, n_pairs = self.word_idf.num_embeddings, len(self.pairs)
        own = attention_mask.to(self.pair_idf.dtype)
        words = own.new_zeros(own.shape[0], n_words).scatter_add(1, input_ids, own)
        idf, counts = self.word_idf.weight[:, 0], words
        if n_pairs:
            following, is_own = (
                F.pad(each, (0, 1))[:, 1:] for each in (input_ids, own)
            )  # of the last one: padding
            number = input_ids * n_words + following
            place = torch.searchsorted(self.pairs, number).clamp(max=n_pairs - 1)
            known = (self.pairs[place] == number).to(own.dtype) * is_own
            pairs = own.new_zeros(own.shape[0], n_pairs).scatter_add(1, place, known)
            idf, counts = torch.cat([idf, self.pair_idf]), torch.cat([words, pairs], dim=1)
        weighted = torch.where(counts > 0, 1 + counts.clamp(min=1).log(), 0.0) * idf
        return F.normalize(weighted, dim=1)
