"""Estimated class shares of the target with their intervals.

The interval is the middle 95% of the estimates on 200 resamples of source items and target items together (the
bootstrap, Efron 1979): calibration and confusion vary with the source items, the rest with the target items. It
assumes that items, or units of items, are independent draws from their domain, and label shift: it says nothing about
the error of shares where the domains differ in another way. The classifier itself is not learned again, so a small
source makes the interval somewhat too narrow.

Legend: N source items, M target items, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Codes, Float
from headstart.adapt.label_shift.bbse import bbse_shares
from headstart.adapt.label_shift.calibration import calibrate
from headstart.adapt.label_shift.em import em_shares
from headstart.metrics.spread import unit_numbers

Estimate = Callable[[Float, Float], Float]
"""From weights of the source items, of shape (N,), and of the target items, of shape (M,), to shares, of shape (C,)."""
N_RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class Shares:
    """Class shares of the target.

    Attributes:
        value_C: of shape (C,), sum 1.
        low_C, high_C: ends of the 95% interval of each share.
    """

    value_C: Float
    low_C: Float
    high_C: Float


def estimate_shares(
    source_NC: Float,
    codes_N: Codes,
    target_MC: Float,
    method: Literal["em", "bbse"] = "em",
    *,
    units_N: NDArray[Any] | None = None,
    units_M: NDArray[Any] | None = None,
    seed: int = 0,
) -> Shares:
    """Estimate the shares of the classes in the target with intervals.

    Args:
        source_NC: out-of-fold logits of the source items, of shape (N, C).
        codes_N: their classes, of shape (N,).
        target_MC: logits of the target items, of shape (M, C).
        method: "em" (see `em`) or "bbse" (see `bbse`), both on calibrated probabilities.
        units_N: of the source items: items of one unit are drawn together; None: each item is its own.
        units_M: of the target items.
        seed: of the resamples.
    """
    estimate = (_by_em if method == "em" else _by_bbse)(source_NC, codes_N, target_MC)
    generator = np.random.default_rng(seed)
    draws = [
        estimate(_drawn(generator, units_N, len(codes_N)), _drawn(generator, units_M, len(target_MC)))
        for _ in range(N_RESAMPLES)
    ]
    low_C, high_C = np.quantile(draws, [0.025, 0.975], axis=0)
    value_C = estimate(np.ones(len(codes_N)), np.ones(len(target_MC)))
    return Shares(value_C, low_C, high_C)


def _by_em(source_NC: Float, codes_N: Codes, target_MC: Float) -> Estimate:
    whole = calibrate(source_NC, codes_N)
    n_classes = source_NC.shape[1]

    def estimate(weights_N: Float, weights_M: Float) -> Float:
        calibration = calibrate(source_NC, codes_N, weights_N, whole)
        counts = np.bincount(codes_N, weights_N, minlength=n_classes)
        return em_shares(calibration.probabilities(target_MC), counts / counts.sum(), weights_M)

    return estimate


def _by_bbse(source_NC: Float, codes_N: Codes, target_MC: Float) -> Estimate:
    whole = calibrate(source_NC, codes_N)
    source, target = whole.probabilities(source_NC), whole.probabilities(target_MC)

    def estimate(weights_N: Float, weights_M: Float) -> Float:
        return bbse_shares(source, codes_N, target, weights_N, weights_M)

    return estimate


def _drawn(generator: np.random.Generator, units: NDArray[Any] | None, n_items: int) -> Float:
    """How often each item is drawn in one resample, of shape (N,)."""
    numbers, n_units = unit_numbers(units, n_items)
    counts = np.bincount(generator.integers(0, n_units, n_units), minlength=n_units)
    return counts[numbers].astype(np.float64)
