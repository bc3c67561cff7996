"""Verification of speakers with intervals: the error rates of `heads.verification` under resampled speakers.

Speakers are drawn with replacement, as many as there are; with r_a draws of speaker a, a trial within a
counts r_a times and a trial between a and b counts r_a r_b times. Scores are put into fine bins once, for
each pair of speakers, so that all resamples are one matrix product; the values themselves are exact.

Legend: N items, D features, T trials, S speakers, Q pairs of speakers, P bins, B resamples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.heads.verification import (
    P_TARGET,
    Trials,
    all_trials,
    cosine_scores,
    eer,
    eer_of,
    min_dcf,
    min_dcf_of,
    rates,
)
from headstart.metrics.bootstrap import N_RESAMPLES, Float, interval, resample_counts
from headstart.metrics.interval import Interval

MAX_ITEMS = 1_000  # of more items a sample is used: trials grow with the square
N_BINS = 1_000
MAX_CELLS = 10_000_000  # pairs of speakers x bins held at once


@dataclass(frozen=True)
class Verification:
    """Error rates of speaker verification.

    Attributes:
        eer: equal error rate.
        min_dcf: smallest detection cost at p = 0.05.
        n_targets: trials of one speaker.
        n_others: trials of two speakers.
        same_gender: the same over trials of one gender only, where gender is known.
    """

    eer: Interval
    min_dcf: Interval
    n_targets: int
    n_others: int
    same_gender: Verification | None = None


def verify_speakers(
    embeddings: NDArray[np.floating],
    speakers: NDArray[np.object_],
    *,
    centre: NDArray[np.floating] | None = None,
    differ: NDArray[np.object_] | None = None,
    gender: NDArray[np.object_] | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Verification | None:
    """Score all pairs of items by centred cosine.

    Args:
        embeddings: of shape (N, D).
        speakers: of shape (N,).
        centre: mean of the training embeddings, of shape (D,); None: of these.
        differ: what is spoken (sentence, digit), of shape (N,): pairs of the same content are left out.
        gender: of the speakers, of shape (N,): trials of one gender are reported apart.
        n_resamples: bootstrap resamples of speakers.
        seed: of the resamples, and of the sample of more than 1,000 items.

    Returns:
        None without trials of one speaker or of two speakers.
    """
    kept = np.arange(len(speakers))
    if len(kept) > MAX_ITEMS:
        kept = np.sort(np.random.default_rng(seed).permutation(kept)[:MAX_ITEMS])
    centre = np.asarray(embeddings, dtype=np.float64).mean(axis=0) if centre is None else centre
    names = np.asarray(speakers)[kept]
    trials = all_trials(names, None if differ is None else np.asarray(differ)[kept])
    scores = cosine_scores(np.asarray(embeddings)[kept], trials, centre)
    numbers = np.unique(names.astype(str), return_inverse=True)[1]
    apart = None
    if gender is not None:
        sexes = np.unique(np.asarray(gender)[kept].astype(str), return_inverse=True)[1]
        same = sexes[trials.first] == sexes[trials.second]
        if not same.all():
            chosen = Trials(trials.first[same], trials.second[same], trials.is_target[same])
            apart = _measured(scores[same], chosen, numbers, None, n_resamples, seed)
    return _measured(scores, trials, numbers, apart, n_resamples, seed)


def _measured(
    scores: Float,
    trials: Trials,
    numbers: NDArray[np.intp],
    apart: Verification | None,
    n_resamples: int,
    seed: int,
) -> Verification | None:
    """Return the rates of the trials with their intervals."""
    n_targets = int(trials.is_target.sum())
    n_others = len(scores) - n_targets
    if not n_targets or not n_others:
        return None
    n_speakers = int(numbers.max()) + 1
    eers, costs = _resampled(scores, trials, numbers, n_speakers, n_resamples, seed)
    return Verification(
        eer=interval(eer(scores, trials.is_target), eers, n_speakers),
        min_dcf=interval(min_dcf(scores, trials.is_target), costs, n_speakers),
        n_targets=n_targets,
        n_others=n_others,
        same_gender=apart,
    )


def _resampled(
    scores: Float,
    trials: Trials,
    numbers: NDArray[np.intp],
    n_speakers: int,
    n_resamples: int,
    seed: int,
) -> tuple[Float, Float]:
    """Return the EER and the cost of each resample, of shape (B,)."""
    low, high = np.sort(np.stack([numbers[trials.first], numbers[trials.second]]), axis=0)
    pairs, pair = np.unique(low * n_speakers + high, return_inverse=True)
    n_bins = int(np.clip(MAX_CELLS // len(pairs), 100, N_BINS))
    edges = np.quantile(scores, np.linspace(0, 1, n_bins + 1)[1:-1])
    falling = n_bins - 1 - np.searchsorted(edges, scores, side="right")
    counts_QP = np.bincount(pair * n_bins + falling, minlength=len(pairs) * n_bins)
    counts_QP = counts_QP.reshape(len(pairs), n_bins).astype(np.float32)
    a, b = np.divmod(pairs, n_speakers)
    within = a == b
    if len(pairs) * n_bins > MAX_CELLS // 2:
        n_resamples = min(n_resamples, 400)  # with thousands of speakers, a resample takes long
    eers, costs = [], []
    for drawn in resample_counts(n_speakers, n_resamples, seed, chunk_cells=2_000 * n_speakers):
        for start in range(0, len(drawn), 500):
            r = drawn[start : start + 500]
            targets = r[:, a[within]] @ counts_QP[within]
            others = (r[:, a[~within]] * r[:, b[~within]]) @ counts_QP[~within]
            miss, false_alarm = rates(targets.astype(np.float64), others.astype(np.float64))
            usable = np.isfinite(miss).all(axis=1) & np.isfinite(false_alarm).all(axis=1)
            eers.append(eer_of(miss[usable], false_alarm[usable]))
            costs.append(min_dcf_of(miss[usable], false_alarm[usable], P_TARGET))
    return np.concatenate(eers), np.concatenate(costs)
