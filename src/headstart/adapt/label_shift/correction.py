"""The correction part of a method: class shares that the target is taken to have.

A correction gives the domains class shares. The method then aligns with items weighted by them, and learns with them:
so an alignment does not take a difference in shares for one in content, and every learner is corrected in the same way.

    label-shift   shares by expectation maximisation
    bbse          shares by black box shift estimation, which errs less where the domains differ otherwise too
    balanced      equal shares: no target item is used; for a target whose shares cannot be estimated
    rebalanced    shares that the method itself predicts, a few times over (see `rebalanced`)

The estimates of the first two are drawn towards the shares of the source by one item per class, so that no class
vanishes and two items decide nothing:  (M q + C p) / (M + C).

Legend: M target items, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from headstart.adapt.domains import Domains, Float
from headstart.adapt.label_shift.bbse import bbse_shares
from headstart.adapt.label_shift.calibration import calibrate
from headstart.adapt.label_shift.em import em_shares
from headstart.adapt.label_shift.predictions import predict
from headstart.adapt.label_shift.rebalanced import Learn, rebalanced
from headstart.errors import DataError

Align = Callable[[Domains], Domains]
"""Maps domains into one space."""


@dataclass(frozen=True)
class Correction:
    """One correction.

    Attributes:
        name: in the text of a method.
        label: its name for a reader.
        correct: takes domains, how the method aligns domains, and how it learns from them; returns the domains with
            class shares of the target.
    """

    name: str
    label: str
    correct: Callable[[Domains, Align, Learn], Domains]


def _of_aligned(shares: Callable[[Domains], Float]) -> Callable[[Domains, Align, Learn], Domains]:
    """The correction by an estimate from domains in one space."""
    return lambda domains, align, learn: replace(domains, shares_C=shares(align(domains)))


def _by_em(domains: Domains) -> Float:
    def estimate(source_NC: Float, target_MC: Float) -> Float:
        return em_shares(target_MC, domains.source_shares_C)

    return _estimated(domains, estimate)


def _by_bbse(domains: Domains) -> Float:
    def estimate(source_NC: Float, target_MC: Float) -> Float:
        return bbse_shares(source_NC, domains.codes_N, target_MC)

    return _estimated(domains, estimate)


def _estimated(domains: Domains, estimate: Callable[[Float, Float], Float]) -> Float:
    """The estimate from calibrated probabilities; the source's shares if too few items can be held out."""
    try:
        found = predict(domains)
    except DataError:
        return domains.source_shares_C
    calibration = calibrate(found.source_NC, domains.codes_N)
    shares_C = estimate(*(calibration.probabilities(logits) for logits in (found.source_NC, found.target_MC)))
    n_items, n_classes = len(domains.target_MD), domains.n_classes
    drawn = n_items * shares_C + n_classes * domains.source_shares_C
    return np.asarray(drawn / (n_items + n_classes))


def _equal(domains: Domains) -> Float:
    there = domains.source_shares_C > 0
    return np.asarray(there / there.sum(), dtype=np.float64)


LABEL_SHIFT = Correction("label-shift", "for class shares estimated by EM", _of_aligned(_by_em))
BBSE = Correction("bbse", "for class shares estimated by BBSE", _of_aligned(_by_bbse))
BALANCED = Correction(
    "balanced",
    "with classes of equal weight",
    lambda domains, align, learn: replace(domains, shares_C=_equal(domains)),
)
REBALANCED = Correction(
    "rebalanced",
    "for the class shares that it predicts",
    lambda domains, align, learn: rebalanced(domains, learn),
)
CORRECTIONS: dict[str, Correction] = {one.name: one for one in (LABEL_SHIFT, BBSE, BALANCED, REBALANCED)}
