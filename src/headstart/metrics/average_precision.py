"""Average precision (the area below precision over recall), exact for ties; the mean over several rankings.

    AP = mean over the positives i of T_i / S_i
    T_i = positives, S_i = items, with a score of at least that of i

which is scikit-learn's step sum. The effective number of items of its interval is the number of positives (Boyd, Eng
and Page 2013, "Area under the precision-recall curve: point estimates and confidence intervals", the binomial
interval), here in Wilson's form (see `bounds`). Labels that are right on the same items, and items of one unit, lower
it by the variances of the influences (the derivative of AP in the weight of an item).

Legend: N items, C labels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.auroc import Side
from headstart.metrics.class_shares import LEAST_FREEDOM
from headstart.metrics.interval import Interval
from headstart.metrics.mean_shares import freedom_of, mean_of_shares
from headstart.metrics.spread import Float, Units


def average_precision(sides: list[Side], units: Units) -> Interval:
    """Return the mean average precision of several rankings of the same items; not defined without any.

    Args:
        sides: for each label, who has it (at least one item) and the scores, each of shape (N,).
        units: of the items.
    """
    if not sides:
        return Interval(None)
    found = [_precision(has, scores) for has, scores in sides]
    value = float(np.mean([precision for precision, _ in found]))
    n_items = [int(has.sum()) for has, _ in sides]
    variances = [(1 / n,) for n in n_items]
    if freedom_of(variances, [(n,) for n in n_items]) < LEAST_FREEDOM:
        return Interval(value, why=units.too_few or "too few items that have the label for an interval")

    return mean_of_shares(
        value,
        n_items,
        [influence for _, influence in found],
        variances,
        lambda units: [(units.count(np.flatnonzero(has)),) for has, _ in sides],
        units,
    )


def _precision(has: NDArray[np.bool_], scores: Float) -> tuple[float, Float]:
    """Return the average precision of a ranking, and the influence of each item, of shape (N,)."""
    order = np.argsort(-scores, kind="stable")
    falling = -scores[order]
    positive = has[order].astype(np.float64)
    begin = np.searchsorted(falling, falling, side="left")  # of the ties of each item
    above = np.searchsorted(falling, falling, side="right").astype(np.float64)
    found = np.cumsum(positive)[above.astype(np.intp) - 1]
    n_positive = positive.sum()
    value = float((positive * found / above).sum() / n_positive)
    # What an item at or above a positive adds to that positive's precision, summed from the end.
    gain = np.cumsum((positive / above)[::-1])[::-1][begin]
    loss = np.cumsum((positive * found / above**2)[::-1])[::-1][begin]
    influence = np.empty(len(has))
    influence[order] = (positive * (found / above - value) + positive * gain - loss) / n_positive
    return value, influence
