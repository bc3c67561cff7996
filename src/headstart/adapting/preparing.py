"""What an adaptation begins with: the target's items, and where the source domain comes from; nothing is extracted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headstart.adapting.options import AdaptOptions
from headstart.adapting.pair import PairRead, Target
from headstart.adapting.source_domain import SourceDomain
from headstart.clock import Clock
from headstart.fitting.facts import task_words
from headstart.fitting.options import FitOptions, fit_options
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.data import Finding
    from headstart.features import Setting
    from headstart.sources import Source


@dataclass(frozen=True, eq=False)
class Prepared:
    """Both domains, read and checked; nothing is extracted yet.

    Attributes:
        target: the target's items.
        source: the network.
        domain: gives the source domain, which takes time.
        name: of the source domain.
        about: what is learned from, for a message.
        findings: what the checks of the source's data found.
    """

    target: Target
    source: Source
    domain: Callable[[], SourceDomain]
    name: str
    about: str
    findings: Sequence[Finding] = ()


def of_pair(read: PairRead, options: AdaptOptions, setting: Setting, clock: Clock) -> Prepared:
    """Two domains that were read.

    Args:
        read: both domains.
        options: of the adaptation.
        setting: device, precision and threads.
        clock: takes the phases "checks" and "source", later those of the domain.

    Raises:
        InputError: an item or the source cannot be used.
    """
    from headstart.adapting.features import check_batch_norm
    from headstart.fitting.plan import plan_examples
    from headstart.fitting.workspace import Workspace

    plan = plan_examples(read.source, _of_fit(options), clock, split=False)
    check_batch_norm(plan.source, options.method)
    target = Target.of(read.target, read.names[1], plan.data.classes, options, clock)

    def domain() -> SourceDomain:
        workspace = Workspace(plan, setting, options.store, clock)
        return SourceDomain.labelled(workspace, read.names[0], str(options.data))

    about = f"{counted(len(plan.data), 'labelled items')}, {task_words(plan.data.examples)}"
    return Prepared(target, plan.source, domain, read.names[0], about, plan.findings)


def _of_fit(options: AdaptOptions) -> FitOptions:
    """The options of the fit of the source domain: the head alone."""
    own = ("domain", "out", "report", "group", "target")
    names = [
        name for name in FitOptions.model_fields if name in AdaptOptions.model_fields and name not in own
    ]
    given: dict[str, Any] = {name: getattr(options, name) for name in names}
    return fit_options(**given)
