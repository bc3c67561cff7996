"""The adaptation procedure: what happens in `headstart adapt`, in order."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from headstart import processes
from headstart.adapting.options import AdaptOptions, refuse_path_as_column, run_named
from headstart.adapting.pair import read_pair
from headstart.adapting.result import Adaptation
from headstart.clock import IMPORTS, Clock, long_lived
from headstart.data.place import Place
from headstart.data.read import require_place
from headstart.errors import InputError, OptionError
from headstart.fitting.configuration import code_flags
from headstart.fitting.facts import shown
from headstart.fitting.preflight import check_setting
from headstart.fitting.procedure import import_packages
from headstart.fitting.source_path import require_source
from headstart.progress import say, waiting
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.adapting.preparing import Prepared
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
    refuse_path_as_column(options)
    folder = run_named(options)
    for place in (options.data if folder is None else None, options.target_data):
        if place is not None:
            require_place(Place(place))  # what is wrong is reported before the seconds that imports take
    require_source(options.source)
    if processes.count() > 1:
        raise OptionError("an adaptation runs in one process: start it without a launcher")
    with clock.phase("data"):
        labelled = folder or read_pair(options)
    with clock.phase(IMPORTS):
        import_packages()
    from headstart.adapting.from_run import of_run
    from headstart.adapting.preparing import of_pair
    from headstart.adapting.saving import create
    from headstart.fitting.exportable import check_exportable
    from headstart.runs import RunDirectory

    setting = check_setting(options, options.out)
    if isinstance(labelled, Path):
        prepared = of_run(options, labelled, setting, clock)
    else:
        prepared = of_pair(labelled, options, setting, clock)
    _print_pair(prepared)
    check_exportable(prepared.source, options.arch)
    run = create(options) if resume is None else RunDirectory.resume(resume)
    try:
        return _adapt(options, prepared, run, clock)
    except InputError:
        run.discard()
        raise
    except BaseException as error:
        words = ["headstart", "adapt", "--resume", str(shown(run)), *code_flags(options.model_dump())]
        error.add_note(f"What was extracted is kept. Resume with: {shlex.join(words)}")
        raise
    finally:
        run.release()


def _adapt(options: AdaptOptions, prepared: Prepared, run: RunDirectory, clock: Clock) -> Adaptation:
    from headstart.adapting.assembling import assemble
    from headstart.adapting.choosing import choose
    from headstart.adapting.diagnosing import diagnosed
    from headstart.adapting.extracted import ExtractedPair
    from headstart.adapting.saving import finish
    from headstart.adapting.truth import Truth

    with long_lived():
        pair = ExtractedPair.of(prepared.domain(), prepared.target, clock)
        with clock.phase("shift"), waiting("Comparing the domains …"):
            shift = diagnosed(pair)
        tried, decision = choose(pair, shift, options.method, clock)
        say(decision.reason)
        with clock.phase("evaluate"):
            truth = Truth.of(pair, tried, decision.chosen)
        facts = assemble(pair, shift, tried, decision, truth, options)
        return finish(run, options, pair, decision.chosen, truth, facts, clock)


def _print_pair(prepared: Prepared) -> None:
    """What is learned from, what is adapted to, and what the checks of both found."""
    target = prepared.target
    n_target = len(target.data)
    say(
        f"{prepared.name}: {prepared.about}. {target.name}: {counted(n_target, 'items')}"
        + ("" if target.codes is None else ", whose labels only score the result")
        + (
            "."
            if len(target.scored) == n_target
            else f"; {counted(len(target.scored), 'items')} of them are only scored."
        )
    )
    for name, findings in ((prepared.name, prepared.findings), (target.name, target.data.findings)):
        for finding in findings:
            say(f"{finding.severity}: {name}: {finding.message}")
