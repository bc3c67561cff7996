"""Is the held-out part harder than the training part? The head alone, cross-validated inside and predicted outside.

Welch's test: the difference of two means on different items, with both standard errors,

    t = (outside - inside) / sqrt(se_inside^2 + se_outside^2)
    freedom = (v_inside + v_outside)^2 / (v_inside^2 / freedom_inside + v_outside^2 / freedom_outside),  v = se^2

(Welch 1947; Satterthwaite 1946). Units are counted, not items. Below `LEAST_UNITS` units on a side there is no
interval: two patients with scores that happen to agree would look certain. The standard error of an accuracy is not 0
if every item is right (see `spread.share_error`).

Legend: N items, C outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.bounds import t_quantile
from headstart.metrics.interval import Interval
from headstart.metrics.spread import LEAST_UNITS, freedom, is_known, share_error, standard_error
from headstart.tasks import Task


@dataclass(frozen=True)
class Mean:
    """A mean quality with how well it is known.

    Attributes:
        value: the mean.
        standard_error: of it; nan for a single unit.
        freedom: degrees of freedom of the standard error, the number of equal units - 1.
    """

    value: float
    standard_error: float
    freedom: float


@dataclass(frozen=True)
class Shift:
    """The head alone on the training part and on the held-out part.

    Attributes:
        inside: its quality inside the training part, by cross-validation, corrected for the choice.
        outside: its quality on the held-out part.
        difference: outside minus inside, with its 95% interval.
    """

    inside: float
    outside: float
    difference: Interval

    @property
    def is_clear(self) -> bool:
        """Whether the held-out part is harder by more than chance explains."""
        return self.difference.high is not None and self.difference.high < 0


def shifted(inside: Mean, outside: Mean) -> Shift:
    """Compare the quality on two sets of items; without an interval if either has too few units.

    Args:
        inside: on the training part.
        outside: on the held-out part.
    """
    difference = outside.value - inside.value
    variances = np.square([inside.standard_error, outside.standard_error])
    freedoms = np.array([inside.freedom, outside.freedom])
    if not variances.sum() > 0 or not is_known(float(freedoms.min())):
        return Shift(inside.value, outside.value, Interval(difference, why=f"fewer than {LEAST_UNITS} units"))
    df = variances.sum() ** 2 / (variances**2 / freedoms).sum()
    half = float(t_quantile(float(df)) * np.sqrt(variances.sum()))
    return Shift(inside.value, outside.value, Interval(difference, difference - half, difference + half))


def mean_quality(
    task: Task, outputs_NC: NDArray[np.floating], targets: NDArray[Any], units: NDArray[Any] | None = None
) -> Mean:
    """Return the mean quality of outputs with its standard error.

    R2 and the explained share of the log loss are ratios: their standard error is that of the linearised ratio, which
    knows that the loss of the constant answer varies too.

    Args:
        task: what is learned.
        outputs_NC: probabilities or values, of shape (N, C).
        targets: as `Targets.encode` gives them.
        units: of shape (N,): items of one unit are not independent; None: every item is a unit of its own.
    """
    value, spread = value_and_spread(task, outputs_NC, targets)
    error = share_error(spread, units) if task.one_per_item else standard_error(spread, units)
    return Mean(value, error, freedom(units, len(spread)))


def value_and_spread(
    task: Task, outputs_NC: NDArray[np.floating], targets: NDArray[Any]
) -> tuple[float, NDArray[np.float64]]:
    """Return the mean quality, and of each item what varies of it, of shape (N,): see `mean_quality`.

    Args:
        task: what is learned.
        outputs_NC: probabilities or values, of shape (N, C).
        targets: as `Targets.encode` gives them.
    """
    quality = task.item_quality(outputs_NC, targets)
    value = float(quality.mean())
    if task.one_per_item:
        return value, quality
    constant_NC = np.tile(task.constant(targets, outputs_NC.shape[1]), (len(targets), 1))
    return value, np.asarray(quality + (1 - value) * (1 - task.item_quality(constant_NC, targets)))
