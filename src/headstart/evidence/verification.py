"""Verification of speakers with intervals: the error rates of `heads.verification` without one speaker after the other.

Trials share recordings, and recordings share speakers, so the speakers are the independent units: the variance is that
of the jackknife, (S - 1) / S sum_s (e_s - mean)^2 with the rate e_s of the trials without speaker s. It gives the
effective number of items of Wilson's interval with S - 1 degrees of freedom (see `metrics.bounds`), at most three per
recording, and the number of speakers if leaving out a speaker never changes the rate. Scores are put into fine bins
once, for each pair of speakers, so that all S rates are one matrix product; the values themselves are exact.

Legend: N items, D features, T trials, S speakers, Q pairs of speakers, P bins.
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
from headstart.metrics.bounds import positive, share
from headstart.metrics.interval import Interval
from headstart.metrics.spread import LEAST_UNITS, Float, Units
from headstart.units import agreeing, counted

MAX_ITEMS = 1_000  # of more items a sample is used: trials grow with the square
N_BINS = 1_000
MAX_CELLS = 10_000_000  # pairs of speakers x bins held at once
TRIALS_PER_ITEM = 3  # independent trials that a recording counts as at most


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
    seed: int = 0,
) -> Verification | None:
    """Score all pairs of items by centred cosine.

    Args:
        embeddings: of shape (N, D).
        speakers: of shape (N,).
        centre: mean of the training embeddings, of shape (D,); None: of these.
        differ: what is spoken (sentence, digit), of shape (N,): pairs of the same content are left out.
        gender: of the speakers, of shape (N,): trials of one gender are reported apart.
        seed: of the sample of more than 1,000 items.

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
            apart = _measured(scores[same], chosen, numbers, None)
    return _measured(scores, trials, numbers, apart)


def _measured(
    scores: Float, trials: Trials, numbers: NDArray[np.intp], apart: Verification | None
) -> Verification | None:
    """Return the rates of the trials with their intervals."""
    n_targets = int(trials.is_target.sum())
    n_others = len(scores) - n_targets
    if not n_targets or not n_others:
        return None
    used = np.unique(np.concatenate([trials.first, trials.second]))
    eers, costs = _without_each(scores, trials, numbers)
    n_speakers = len(np.unique(numbers[used]))
    too_few = n_speakers < LEAST_UNITS or len(eers) < n_speakers
    speakers = (
        f"{counted(n_speakers, 'speakers')} with trials of both kinds {agreeing(n_speakers, 'is', 'are')}"
    )
    why = f"{speakers} too few for an interval" if too_few else ""
    rate, cost = eer(scores, trials.is_target), min_dcf(scores, trials.is_target)
    return Verification(
        eer=Interval(rate, why=why) if too_few else _rate(rate, eers, len(used)),
        min_dcf=Interval(cost, why=why) if too_few else _cost(cost, costs),
        n_targets=n_targets,
        n_others=n_others,
        same_gender=apart,
    )


def _rate(value: float, without: Float, n_items: int) -> Interval:
    """Return the interval of an error rate from the rates without each speaker."""
    variance, n_effective = Units.of(None, len(without)).jackknife(without), float(len(without))
    if variance > 0 and 0 < value < 1:
        n_effective = min(value * (1 - value) / variance, TRIALS_PER_ITEM * n_items)
    return share(value, n_effective, len(without) - 1)


def _cost(value: float, without: Float) -> Interval:
    """Return the interval of a detection cost from the costs without each speaker."""
    error = Units.of(None, len(without)).jackknife(without) ** 0.5
    if value <= 0 or error <= 0:
        return Interval(
            value, why="leaving out a speaker never changes it, so nothing shows how much it varies"
        )
    found = positive(value, error / value, len(without) - 1)
    return Interval(value, found.low, max(value, min(1.0, found.high or 1.0)))


def _without_each(scores: Float, trials: Trials, numbers: NDArray[np.intp]) -> tuple[Float, Float]:
    """Return the EER and the cost of the trials without each speaker who has one, of shape (at most S,)."""
    from scipy.sparse import csr_matrix

    n_speakers = int(numbers.max()) + 1
    low, high = np.sort(np.stack([numbers[trials.first], numbers[trials.second]]), axis=0)
    pairs, pair = np.unique(low * n_speakers + high, return_inverse=True)
    n_bins = int(np.clip(MAX_CELLS // len(pairs), 100, N_BINS))
    edges = np.quantile(scores, np.linspace(0, 1, n_bins + 1)[1:-1])
    falling = n_bins - 1 - np.searchsorted(edges, scores, side="right")
    counts_QP = np.bincount(pair * n_bins + falling, minlength=len(pairs) * n_bins)
    counts_QP = counts_QP.reshape(len(pairs), n_bins).astype(np.float64)
    a, b = np.divmod(pairs, n_speakers)
    kinds = []
    for rows in (np.flatnonzero(a == b), np.flatnonzero(a != b)):
        # What a speaker takes part in: each pair of one speaker once, each pair of two speakers for both.
        places = np.arange(len(rows))
        own = csr_matrix((np.ones(len(rows)), (a[rows], places)), shape=(n_speakers, len(rows)))
        other = csr_matrix((np.ones(len(rows)), (b[rows], places)), shape=own.shape)
        part_SP = own.maximum(other) @ counts_QP[rows]
        kinds.append(counts_QP[rows].sum(axis=0) - part_SP)
    present = np.unique(np.concatenate([a, b]))
    usable = present[(kinds[0][present].sum(axis=1) > 0.5) & (kinds[1][present].sum(axis=1) > 0.5)]
    miss, false_alarm = rates(kinds[0][usable], kinds[1][usable])
    return eer_of(miss, false_alarm), min_dcf_of(miss, false_alarm, P_TARGET)
