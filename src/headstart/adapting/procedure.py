"""The adaptation procedure: what happens in `headstart adapt`, in order."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from headstart import processes
from headstart.adapting.options import AdaptOptions
from headstart.adapting.result import Adaptation
from headstart.clock import IMPORTS, Clock, long_lived
from headstart.data.place import Place
from headstart.data.read import require_place
from headstart.errors import InputError, OptionError
from headstart.fitting.configuration import code_flags
from headstart.fitting.facts import shown, task_words
from headstart.fitting.preflight import check_setting
from headstart.fitting.procedure import import_packages
from headstart.progress import say, waiting
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.adapting.pair import PairRead, Target
    from headstart.features import Setting
    from headstart.fitting.plan import Plan
    from headstart.runs import RunDirectory


def run_adapt(options: AdaptOptions, resume: Path | None = None) -> Adaptation:
    """Adapt by checked options.

    Args:
        options: the options.
        resume: an unfinished adaptation to resume, in its own folder.

    Raises:
        InputError: the data or the source cannot be used.
    """
    clock = Clock()
    for place in (options.data, options.target_data):
        if place is not None:
            require_place(Place(place))  # a wrong path is reported before the seconds that imports take
    if processes.count() > 1:
        raise OptionError("an adaptation runs in one process: start it without a launcher")
    with clock.phase(IMPORTS):
        import_packages()
    from headstart.adapting.learning import of_fit
    from headstart.adapting.pair import Target, read_pair
    from headstart.adapting.saving import create
    from headstart.fitting.exportable import check_exportable
    from headstart.fitting.plan import plan_examples
    from headstart.runs import RunDirectory

    setting = check_setting(options, options.out)
    with clock.phase("data"):
        read = read_pair(options)
    plan = plan_examples(read.source, of_fit(options), clock, split=False)
    target = Target.of(read, plan.data.classes, options, clock)
    _print_pair(plan, target, read)
    check_exportable(plan.source, plan.arch)
    run = create(options) if resume is None else RunDirectory.resume(resume)
    try:
        return _adapt(options, plan, target, read.names[0], setting, run, clock)
    except InputError:
        run.discard()
        raise
    except BaseException as error:
        words = ["headstart", "adapt", "--resume", str(shown(run)), *code_flags(options.model_dump())]
        error.add_note(f"What was extracted is kept. Resume with: {shlex.join(words)}")
        raise
    finally:
        run.release()


def _adapt(
    options: AdaptOptions,
    plan: Plan,
    target: Target,
    source_name: str,
    setting: Setting,
    run: RunDirectory,
    clock: Clock,
) -> Adaptation:
    from headstart.adapting.assembling import assemble
    from headstart.adapting.choosing import choose
    from headstart.adapting.diagnosing import diagnosed
    from headstart.adapting.ground import Ground
    from headstart.adapting.saving import finish
    from headstart.adapting.source_domain import SourceDomain
    from headstart.adapting.truth import Truth
    from headstart.fitting.workspace import Workspace

    with long_lived():
        workspace = Workspace(plan, setting, options.store, clock)
        domain = SourceDomain.labelled(workspace, source_name, str(options.data))
        ground = Ground.of(domain, target, clock)
        with clock.phase("shift"), waiting("Comparing the domains …"):
            shift = diagnosed(ground)
        tried, decision = choose(ground, shift, options.method, clock)
        say(decision.reason)
        with clock.phase("evaluate"):
            truth = Truth.of(ground, tried, decision.chosen)
        facts = assemble(ground, shift, tried, decision, truth, options)
        return finish(run, options, ground, decision.chosen, truth, facts, clock)


def _print_pair(plan: Plan, target: Target, read: PairRead) -> None:
    """What is learned from, what is adapted to, and what the checks of both found."""
    n_source, n_target = len(plan.data), len(target.data)
    say(
        f"{read.names[0]}: {counted(n_source, 'labelled items')}, {task_words(plan.data.examples)}. "
        f"{read.names[1]}: {counted(n_target, 'items')}"
        + ("" if target.codes is None else ", whose labels only score the result")
        + (
            "."
            if len(target.scored) == n_target
            else f"; {counted(len(target.scored), 'items')} of them are only scored."
        )
    )
    for name, findings in ((read.names[0], plan.findings), (read.names[1], target.data.findings)):
        for finding in findings:
            say(f"{finding.severity}: {name}: {finding.message}")
