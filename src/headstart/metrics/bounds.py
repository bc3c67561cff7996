"""The 95% interval of a number, by what kind of number it is.

share       a proportion, or what behaves like one (accuracy, F1, AUROC). Wilson's score interval: all p with
            |value - p| <= t sqrt(p (1 - p) / n). It stays inside 0 and 1, and is not empty if every item is right
            (Wilson 1927; Newcombe 1998a; recommended for small n by Brown, Cai and DasGupta 2001). n is the effective
            number of items: the n for which value (1 - value) / n is the variance (Korn and Graubard 1998; Franco et
            al. 2019 compare such intervals for samples in clusters).
difference  of two shares on the same items: Tango's score interval (1998), all d that his score test does not reject
            (at d = 0 it is McNemar's test), on effective numbers of items
mean        value +- t se
positive    a mean of losses or errors, or its root: the same for its logarithm
correlation the same for Fisher's z, atanh(value)

t is the 97.5% point of Student's t at the degrees of freedom of the variance: with 3 patients 4.3, not 1.96.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from headstart.metrics.interval import Interval
from headstart.metrics.spread import Units

LEVEL = 0.95


def bounded(value: float, units: Units, make: Callable[[Units], Interval]) -> Interval:
    """Return an interval, or the value alone with the reason if the units are too few; None for no number.

    It is never narrower than that of independent items: three patients who happen to agree do not say more than
    their pictures would if each were of another patient.

    Args:
        value: nan if it is not defined.
        units: of the items it was computed from.
        make: computes the interval for some units.
    """
    if not math.isfinite(value):
        return Interval(None)
    if units.too_few:
        return Interval(value, why=units.too_few)
    found = make(units)
    alone = found if units.are_items else make(units.as_items())
    if found.low is None or found.high is None or alone.low is None or alone.high is None:
        return found
    return Interval(found.value, min(found.low, alone.low), max(found.high, alone.high))


def share(value: float, n_effective: float, freedom: float) -> Interval:
    """Return Wilson's interval.

    Args:
        value: between 0 and 1.
        n_effective: independent items that would say as much.
        freedom: degrees of freedom.
    """
    value = float(value)
    t2 = float(t_quantile(freedom) ** 2 / n_effective)
    middle = (value + t2 / 2) / (1 + t2)
    half = math.sqrt(t2) / (1 + t2) * math.sqrt(max(0.0, value * (1 - value) + t2 / 4))
    return Interval(value, min(value, max(0.0, middle - half)), max(value, min(1.0, middle + half)))


def share_difference(n_better: float, n_worse: float, n_items: float, freedom: float) -> Interval:
    """Return Tango's interval of the difference of two shares on the same items.

    Args:
        n_better: effective number of items that only the first gets right.
        n_worse: that only the second gets right.
        n_items: of all.
        freedom: degrees of freedom.
    """
    from scipy.optimize import brentq

    value, t = (n_better - n_worse) / n_items, t_quantile(freedom)

    def beyond(difference: float) -> float:
        """How far the value is from a difference, beyond t standard errors under it; rises with the distance."""
        b = (2 * n_items - n_better + n_worse) * difference - n_better - n_worse
        c = -n_worse * difference * (1 - difference)
        worse = (math.sqrt(max(0.0, b * b - 8 * n_items * c)) - b) / (4 * n_items)  # its share under it
        variance = (2 * worse + difference * (1 - difference)) / n_items
        return abs(value - difference) - t * math.sqrt(max(0.0, variance))

    ends = []
    # The distance rises from the value to -1 and to 1; an end that is not beyond t errors is the end of the interval,
    # and with no spread at all the interval is the value.
    for end in (-1.0, 1.0):
        inside = value - 1e-9 * (value - end)
        closed = end == value or beyond(end) <= 0 or beyond(inside) >= 0
        ends.append(end if closed and beyond(end) <= 0 else value if closed else brentq(beyond, inside, end))
    return Interval(value, min(value, ends[0]), max(value, ends[1]))


def mean(value: float, error: float, freedom: float) -> Interval:
    """Return value +- t se.

    Args:
        value: any number.
        error: its standard error.
        freedom: degrees of freedom.
    """
    half = t_quantile(freedom) * error
    return Interval(value, value - half, value + half)


def positive(value: float, relative_error: float, freedom: float) -> Interval:
    """Return the interval of a number above 0, from that of its logarithm.

    Args:
        value: above 0.
        relative_error: standard error of its logarithm.
        freedom: degrees of freedom.
    """
    factor = math.exp(min(700.0, t_quantile(freedom) * relative_error))
    return Interval(value, value / factor, value * factor)


def correlation(value: float, error: float, freedom: float) -> Interval:
    """Return the interval of a correlation, from that of Fisher's z.

    Args:
        value: between -1 and 1, neither of them.
        error: standard error of atanh(value).
        freedom: degrees of freedom.
    """
    z, half = math.atanh(value), t_quantile(freedom) * error
    return Interval(value, math.tanh(z - half), math.tanh(z + half))


@lru_cache(maxsize=1024)
def t_quantile(freedom: float) -> float:
    """Return the point that |t| exceeds in 5% of cases.

    Args:
        freedom: degrees of freedom, above 0.
    """
    from scipy.stats import t

    return float(t.ppf((1 + LEVEL) / 2, freedom))
