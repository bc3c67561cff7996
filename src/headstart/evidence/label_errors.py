"""Labels that may be wrong: items whose label is contradicted by probabilities that were not learned from it.

How many. Confident learning (Northcutt, Jiang and Chuang 2021, JAIR 70) takes as threshold of a class its mean
probability over the items labelled with it, and counts an item that is labelled i if

    argmax of p is not i, and argmax of p_j over the classes with p_j >= threshold_j is not i

(the off-diagonal of the confident joint). A second count is the share r of labels that look replaced at random,

    P(label_i = y) = (1 - r) p_iy(T) + r (1 - p_iy(T)) / (C - 1),  p_i(T) = softmax(log p_i / T),

r and T by maximum likelihood (the lapse rate of Wichmann and Hill 2001). The larger count is used. Only r can be
compared with chance, by the likelihood ratio against r = 0: right labels can be improbable too. It does not see
labels that are always wrong in the same way, which are learned like right ones.

Which ones. Of the items whose likeliest class is another one, those with the smallest probability of their label
(self-confidence). On planted errors no other order found more (docs/evidence.md).

Legend: N items, C outputs, S suspicious items, Q questions (which class; yes or no for each label), K answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.spread import freedom

Float = NDArray[np.float64]

FLOOR = 1e-12  # a smaller probability counts as this
CLEAR = 1e-3  # a smaller p-value is clearly more than chance


@dataclass(frozen=True)
class LabelNoise:
    """The share of labels that look replaced at random.

    Attributes:
        share: by maximum likelihood.
        p_value: of no replaced label at all.
    """

    share: float
    p_value: float

    @property
    def is_clear(self) -> bool:
        """Whether it is clearly more than chance."""
        return self.p_value < CLEAR


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """Suspicious labels, the least probable first.

    Attributes:
        rows: the items, of shape (S,).
        suggested: what is likelier, as `Targets.encode` gives it: of shape (S,), or (S, C) for labels.
        probability: of the label as it is given, of shape (S,); of several labels that of the least probable one.
        probability_of_suggested: of the other answer, of shape (S,).
        noise: how many labels look replaced at random.
    """

    rows: NDArray[np.intp]
    suggested: NDArray[Any]
    probability: Float
    probability_of_suggested: Float
    noise: LabelNoise


def label_errors(
    outputs_NC: NDArray[np.floating], targets: NDArray[Any], units: NDArray[Any] | None = None
) -> LabelErrors:
    """List the items whose label is likely to be wrong.

    Args:
        outputs_NC: probabilities by models that did not learn from the item.
        targets: the given classes, of shape (N,), or labels as 0 and 1, of shape (N, C).
        units: of shape (N,): what belongs together says less about chance; None: every item is a unit of its own.
    """
    outputs = np.asarray(outputs_NC, dtype=np.float64)
    noise = label_noise(outputs, targets, units)
    if targets.ndim == 1:
        rows, own = _suspicious(outputs, targets, noise.share)
        suggested = outputs[rows].argmax(axis=1)
        return LabelErrors(rows, suggested, own, outputs[rows, suggested], noise)
    least, suggested = np.full(len(targets), np.inf), targets.copy()
    for column, (p_N, given_N) in enumerate(zip(outputs.T, targets.T.astype(np.intp), strict=True)):
        rows, own = _suspicious(np.stack([1 - p_N, p_N], axis=1), given_N, noise.share)
        suggested[rows, column] = 1 - suggested[rows, column]
        least[rows] = np.minimum(least[rows], own)
    rows = np.argsort(least, kind="stable")[: int(np.isfinite(least).sum())]
    return LabelErrors(rows, suggested[rows], least[rows], 1 - least[rows], noise)


def label_noise(
    outputs_NC: NDArray[np.floating], targets: NDArray[Any], units: NDArray[Any] | None = None
) -> LabelNoise:
    """Estimate the share of labels that look replaced at random, and whether it is more than chance.

    Args:
        outputs_NC: probabilities by a model that did not learn from the item.
        targets: the given classes, of shape (N,), or labels as 0 and 1, of shape (N, C).
        units: of shape (N,); the likelihood ratio counts as many items as there are equal units; None: all.
    """
    p_QK, given_Q = _questions(np.asarray(outputs_NC, dtype=np.float64), targets)
    if not len(given_Q) or p_QK.shape[1] < 2:
        return LabelNoise(0.0, 1.0)
    from scipy.optimize import minimize_scalar
    from scipy.stats import chi2

    log_p = np.log(np.clip(p_QK, FLOOR, None))
    within = {"bounds": (-4.0, 4.0), "method": "bounded"}  # log T

    def loss(log_t: float, *, replaced: bool) -> float:
        own = _at_temperature(log_p, given_Q, np.exp(log_t))
        share = _share(own, p_QK.shape[1]) if replaced else 0.0
        return -float(np.log(_mixed(own, share, p_QK.shape[1])).sum())

    without = minimize_scalar(lambda log_t: loss(log_t, replaced=False), **within)
    found = minimize_scalar(lambda log_t: loss(log_t, replaced=True), **within)
    counted = (freedom(units, len(targets)) + 1) / len(given_Q)
    ratio = 2 * (without.fun - found.fun) * counted
    if not ratio > 0:
        return LabelNoise(0.0, 1.0)
    share = _share(_at_temperature(log_p, given_Q, np.exp(found.x)), p_QK.shape[1])
    return LabelNoise(share, float(chi2.sf(ratio, 1)) / 2)  # half: r cannot be below 0


def _suspicious(p_NK: Float, given_N: NDArray[np.integer], share: float) -> tuple[NDArray[np.intp], Float]:
    """The suspicious items of one question and the probability of their answer, the least probable first."""
    own = p_NK[np.arange(len(given_N)), given_N]
    sizes = np.bincount(given_N, minlength=p_NK.shape[1])
    sums = np.bincount(given_N, weights=own, minlength=p_NK.shape[1])
    thresholds = np.where(sizes > 0, sums / np.maximum(sizes, 1), np.inf)
    reached = p_NK >= thresholds
    confident = np.where(reached, p_NK, -1.0).argmax(axis=1)
    contradicted = p_NK.argmax(axis=1) != given_N
    n_joint = int((contradicted & reached.any(axis=1) & (confident != given_N)).sum())
    rows = np.flatnonzero(contradicted)
    rows = rows[np.argsort(own[rows], kind="stable")][: max(n_joint, round(share * len(given_N)))]
    return rows, own[rows]


def _questions(outputs_NC: Float, targets: NDArray[Any]) -> tuple[Float, NDArray[np.intp]]:
    """Probabilities of every answer, of shape (Q, K), and the given one: the class, or yes or no for each label."""
    if targets.ndim == 1:
        return outputs_NC, targets.astype(np.intp)
    yes = outputs_NC.ravel()
    return np.stack([1 - yes, yes], axis=1), targets.ravel().astype(np.intp)


def _at_temperature(log_p_QK: Float, given_Q: NDArray[np.intp], temperature: float) -> Float:
    """Probability of the given answers at a temperature, of shape (Q,)."""
    scores = log_p_QK / temperature
    scores -= scores.max(axis=1, keepdims=True)
    odds = np.exp(scores, out=scores)
    return np.asarray(odds[np.arange(len(given_Q)), given_Q] / odds.sum(axis=1))


def _mixed(own: Float, share: float, n_answers: int) -> Float:
    """Probability of the given answers if a share was replaced at random, of shape (Q,)."""
    return np.clip((1 - share) * own + share * (1 - own) / (n_answers - 1), 1e-300, None)


def _share(own: Float, n_answers: int) -> float:
    """The share of replaced answers with the largest likelihood, which is concave in it."""
    gain = (1 - own) / (n_answers - 1) - own
    low, high = 0.0, 1 - 1 / n_answers
    for _ in range(40):
        middle = (low + high) / 2
        rising = float((gain / _mixed(own, middle, n_answers)).sum()) > 0
        low, high = (middle, high) if rising else (low, middle)
    return low
