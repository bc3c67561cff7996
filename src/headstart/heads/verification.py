"""Speaker verification: do two recordings have the same speaker? Cosine scores and their error rates.

Embeddings are centred (on the training items' mean, no labels needed) and compared by cosine. For a
threshold t, miss(t) is the share of same-speaker trials scored below t, false_alarm(t) the share of others
scored at least t.

    eer      the error where miss = false_alarm, by straight lines between the operating points
    min_dcf  min_t (p miss(t) + (1 - p) false_alarm(t)) / min(p, 1 - p), p = 0.05, costs 1 (NIST SRE)

Equal scores are one operating point. Legend: N items, D features, T trials, P operating points, B rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
P_TARGET = 0.05


@dataclass(frozen=True, eq=False)
class Trials:
    """Pairs of items to compare.

    Attributes:
        first: position of one item, of shape (T,).
        second: position of the other, of shape (T,).
        is_target: whether the two have one speaker, of shape (T,).
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    is_target: NDArray[np.bool_]


def all_trials(speakers: NDArray[np.object_], differ: NDArray[np.object_] | None = None) -> Trials:
    """Return every pair of items, except those of the same spoken content.

    Args:
        speakers: of shape (N,).
        differ: what is spoken (sentence, digit), of shape (N,): pairs with equal values are left out.
    """
    first, second = np.triu_indices(len(speakers), k=1)
    if differ is not None:
        _, spoken = np.unique(np.asarray(differ).astype(str), return_inverse=True)
        kept = spoken[first] != spoken[second]
        first, second = first[kept], second[kept]
    _, number = np.unique(np.asarray(speakers).astype(str), return_inverse=True)
    return Trials(first, second, number[first] == number[second])


def cosine_scores(
    embeddings: NDArray[np.floating], trials: Trials, centre: NDArray[np.floating] | None = None
) -> Float:
    """Return the cosine of each trial's two embeddings.

    Args:
        embeddings: of shape (N, D).
        trials: T pairs.
        centre: subtracted first, of shape (D,); None: the mean of these embeddings.

    Returns:
        Of shape (T,), in [-1, 1]; 0 where an embedding equals the centre.
    """
    x_ND = np.asarray(embeddings, dtype=np.float64)
    x_ND = x_ND - (x_ND.mean(axis=0) if centre is None else np.asarray(centre, dtype=np.float64))
    length = np.linalg.norm(x_ND, axis=1, keepdims=True)
    x_ND = np.divide(x_ND, length, out=np.zeros_like(x_ND), where=length > 0)
    return np.asarray((x_ND @ x_ND.T)[trials.first, trials.second])


def eer(scores: Float, is_target: NDArray[np.bool_]) -> float:
    """Return the equal error rate of T trials, nan if one kind is absent.

    Args:
        scores: of shape (T,).
        is_target: of shape (T,).
    """
    return float(eer_of(*operating_points(scores, is_target))[0])


def min_dcf(scores: Float, is_target: NDArray[np.bool_], p_target: float = P_TARGET) -> float:
    """Return the smallest detection cost of T trials, nan if one kind is absent.

    Args:
        scores: of shape (T,).
        is_target: of shape (T,).
        p_target: how likely a trial is of one speaker.
    """
    return float(min_dcf_of(*operating_points(scores, is_target), p_target)[0])


def operating_points(scores: Float, is_target: NDArray[np.bool_]) -> tuple[Float, Float]:
    """Return miss and false-alarm rates, each of shape (1, P), from rejecting all to accepting all."""
    distinct, position = np.unique(-np.asarray(scores, dtype=np.float64), return_inverse=True)
    counts = [np.bincount(position[kind], minlength=len(distinct))[None] for kind in (is_target, ~is_target)]
    return rates(*(count.astype(np.float64) for count in counts))


def rates(targets_BP: Float, others_BP: Float) -> tuple[Float, Float]:
    """Return miss and false-alarm rates, of shape (B, P + 1), from weights (B, P) at falling scores.

    Rows without weight on one side are nan.
    """
    out = []
    for weights in (targets_BP, others_BP):
        accepted = np.zeros((len(weights), weights.shape[1] + 1))
        np.cumsum(weights, axis=1, out=accepted[:, 1:])
        with np.errstate(divide="ignore", invalid="ignore"):
            out.append(accepted / accepted[:, -1:])
    return 1 - out[0], out[1]


def eer_of(miss_BP: Float, false_alarm_BP: Float) -> Float:
    """Return where the two rates cross, of shape (B,)."""
    gap = miss_BP - false_alarm_BP
    after = np.maximum(np.argmax(gap <= 0, axis=1), 1)
    rows = np.arange(len(gap))
    gap_before, gap_after = gap[rows, after - 1], gap[rows, after]
    share = gap_before / (gap_before - gap_after)
    low, high = false_alarm_BP[rows, after - 1], false_alarm_BP[rows, after]
    return np.asarray(low + share * (high - low))


def min_dcf_of(miss_BP: Float, false_alarm_BP: Float, p_target: float = P_TARGET) -> Float:
    """Return the smallest normalised detection cost, of shape (B,)."""
    cost = p_target * miss_BP + (1 - p_target) * false_alarm_BP
    return np.asarray(cost.min(axis=1) / min(p_target, 1 - p_target))
