"""What an adaptation begins with: the target's items, and where the source domain comes from; nothing is extracted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headstart.adapting.options import AdaptOptions
from headstart.adapting.pair import Target, read_pair
from headstart.adapting.source_domain import SourceDomain
from headstart.clock import Clock
from headstart.fitting.facts import task_words
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


def of_data(options: AdaptOptions, setting: Setting, clock: Clock) -> Prepared:
    """Two domains of one data set, or two data sets.

    Args:
        options: of the adaptation.
        setting: device, precision and threads.
        clock: takes the phases "data", "checks" and "source", later those of the domain.

    Raises:
        InputError: the data or the source cannot be used.
    """
    from headstart.adapting.learning import of_fit
    from headstart.fitting.plan import plan_examples
    from headstart.fitting.workspace import Workspace

    with clock.phase("data"):
        read = read_pair(options)
    plan = plan_examples(read.source, of_fit(options), clock, split=False)
    target = Target.of(read.target, read.names[1], plan.data.classes, options, clock)

    def domain() -> SourceDomain:
        workspace = Workspace(plan, setting, options.store, clock)
        return SourceDomain.labelled(workspace, read.names[0], str(options.data))

    about = f"{counted(len(plan.data), 'labelled items')}, {task_words(plan.data.examples)}"
    return Prepared(target, plan.source, domain, read.names[0], about, plan.findings)
