"""Plans of fits, made from options."""

from __future__ import annotations

from headstart.clock import Clock
from headstart.fitting.options import FitOptions
from headstart.fitting.plan import Plan, plan_fit
from headstart.fitting.reading import read_labelled


def read_and_plan(options: FitOptions, clock: Clock) -> Plan:
    """Read the data, and plan a fit of it."""
    return plan_fit(read_labelled(options, clock), options, clock)
