"""Learn from the labelled domain and adapt to the other one, for the estimator, which writes nothing."""

from __future__ import annotations

from typing import Any

from headstart.adapting.choosing import Decision, choose
from headstart.adapting.diagnosing import diagnosed
from headstart.adapting.ground import Ground
from headstart.adapting.options import AdaptOptions
from headstart.adapting.pair import PairRead, Target
from headstart.adapting.source_domain import SourceDomain
from headstart.adapting.trying import Tried
from headstart.clock import Clock
from headstart.errors import DataError
from headstart.features import Setting
from headstart.fitting.options import FitOptions, fit_options
from headstart.fitting.plan import plan_examples
from headstart.fitting.workspace import Workspace


def learn_and_adapt(
    read: PairRead, options: AdaptOptions, clock: Clock
) -> tuple[Ground, list[Tried], Decision]:
    """Learn, adapt and choose.

    Args:
        read: both domains.
        options: of the adaptation.
        clock: takes the phases.

    Raises:
        DataError: an item cannot be read, or nothing can be learned.
    """
    plan = plan_examples(read.source, of_fit(options), clock, split=False)
    target = Target.of(read.target, read.names[1], plan.data.classes, options, clock)
    for data, given in ((plan.data, read.source), (target.data, read.target)):
        if len(data) < len(given):
            raise DataError(f"an item cannot be read: {data.findings[0].message}")
    setting = Setting.choose(options.device, options.precision, options.threads, options.store)
    workspace = Workspace(plan, setting, options.store, clock)
    domain = SourceDomain.labelled(workspace, read.names[0], "items")
    ground = Ground.of(domain, target, clock)
    tried, decision = choose(ground, diagnosed(ground), options.method, clock)
    return ground, tried, decision


def of_fit(options: AdaptOptions) -> FitOptions:
    """The options of the fit of the source domain: the head alone."""
    own = ("domain", "out", "report", "group", "target")
    names = [
        name for name in FitOptions.model_fields if name in AdaptOptions.model_fields and name not in own
    ]
    given: dict[str, Any] = {name: getattr(options, name) for name in names}
    return fit_options(**given)
