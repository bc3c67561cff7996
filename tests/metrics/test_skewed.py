"""The interval of a mean of skewed numbers."""

from __future__ import annotations

import numpy as np

from headstart.metrics.bounds import mean
from headstart.metrics.skewed import skewed_mean
from headstart.metrics.spread import Units


def held(n_items: int, n_units: int, n_draws: int = 600) -> tuple[float, float]:
    """How often this interval and mean +- t se of log-normal numbers, whose units differ, hold their mean."""
    rng, hits = np.random.default_rng(0), np.zeros(2)
    for _ in range(n_draws):
        units = np.arange(n_items) % n_units if n_units else None
        own = rng.normal(size=n_units)[units] if units is not None else 0.0
        values = np.exp(0.6 * own + 0.8 * rng.normal(size=n_items))
        how = Units.of(units, n_items)
        error = how.variance((values - values.mean()) / n_items) ** 0.5
        both = skewed_mean(values, units), mean(float(values.mean()), error, how.freedom)
        truth = np.exp((0.8**2 + (0.6**2 if n_units else 0)) / 2)
        hits += [found.low <= truth <= found.high for found in both]  # type: ignore[operator]
    return float(hits[0] / n_draws), float(hits[1] / n_draws)


def test_skewed_numbers_are_covered() -> None:
    for sizes in ((40, 0), (100, 10)):
        ours, plain = held(*sizes)
        assert ours > 0.91 and ours > plain + 0.012


def test_symmetric_numbers_have_the_usual_interval() -> None:
    values = np.linspace(-2, 2, 41)
    found = skewed_mean(values)
    usual = 2.021075 * values.std(ddof=1) / 41**0.5
    assert np.isclose(found.high, usual) and np.isclose(found.low, -usual)  # type: ignore[arg-type]


def test_what_has_no_interval() -> None:
    assert skewed_mean(np.ones(40)).why == "the same number for every item"
    assert skewed_mean(np.arange(20.0)).why == "20 items, 30 are needed for an interval"
    values = np.arange(40.0)
    two = skewed_mean(values, values % 2)
    assert two.low is None and "3 are needed" in two.why and two.value == 19.5
    wide, narrow = skewed_mean(values, Units.of(None, 40, widen=2.0)), skewed_mean(values)
    assert np.isclose(wide.high - 19.5, 2 * (narrow.high - 19.5))  # type: ignore[operator]
