"""The audit procedure: what happens in `headstart audit`, in order."""

from __future__ import annotations

import shlex
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from headstart import processes
from headstart.auditing.configuration import check_same, code_words
from headstart.auditing.options import AuditOptions, parsed_labels
from headstart.auditing.result import Audit
from headstart.clock import IMPORTS, Clock, long_lived
from headstart.data.place import Place
from headstart.data.read import require_place
from headstart.errors import InputError, OptionError
from headstart.fitting.facts import shown, task_words
from headstart.fitting.preflight import check_learnable, check_setting
from headstart.fitting.procedure import import_packages
from headstart.fitting.shared_options import reading
from headstart.fitting.source_data import check_source_data
from headstart.progress import say
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.data import DataSet
    from headstart.runs import RunDirectory


def run_audit(options: AuditOptions, resume: Path | None = None) -> Audit:
    """Audit by checked options.

    Args:
        options: the options.
        resume: an unfinished audit to resume, in its own folder.

    Raises:
        InputError: the data or a source cannot be used.
    """
    clock = Clock()
    started = time.perf_counter()
    require_place(Place(options.data))  # a wrong path is reported before the seconds that imports take
    check_source_data(options.source_data)
    if processes.count() > 1:
        raise OptionError("an audit runs in one process: start it without a launcher")
    with clock.phase(IMPORTS):
        import_packages()
    from headstart.auditing.cells import Cells
    from headstart.auditing.saving import create
    from headstart.runs import RunDirectory
    from headstart.runs.directory import TRAINING

    data = _read(options, clock)
    run = create(options) if resume is None else RunDirectory.resume(resume)
    try:
        return _audit(options, data, run, clock, started)
    except InputError:
        if resume is None and not Cells(run.path / TRAINING).any:
            shutil.rmtree(run.path / TRAINING, ignore_errors=True)
            run.discard()
        raise
    except BaseException as error:
        words = ["headstart", "audit", "--resume", str(shown(run)), *code_words(options)]
        error.add_note(f"What was measured is kept. Resume with: {shlex.join(words)}")
        raise
    finally:
        run.release()


def _read(options: AuditOptions, clock: Clock) -> DataSet:
    from headstart.data import DataSet

    data = DataSet.read(
        options.data, **reading(options), seed=options.seed, threads=options.threads, clock=clock
    )
    check_learnable(data, options.data, held_out=False)
    if not len(data.positions("test")):
        raise InputError(
            f"{options.data}: the given split holds no test part, and an audit is measured on one: name one 'test' "
            "in the split column or folders"
        )
    say(f"{counted(len(data), 'items')}, {task_words(data.examples)}. {data.examples.split_origin}")
    for finding in data.findings:
        say(f"{finding.severity}: {finding.message}")
    return data


def _audit(options: AuditOptions, data: DataSet, run: RunDirectory, clock: Clock, started: float) -> Audit:
    from headstart.auditing.assembling import assemble
    from headstart.auditing.cells import Cells
    from headstart.auditing.draws import Draws
    from headstart.auditing.methods import learners_of, plans_of
    from headstart.auditing.saving import finish
    from headstart.auditing.scratch import with_scratch
    from headstart.auditing.warnings import too_small
    from headstart.auditing.work import measure_all
    from headstart.runs.directory import TRAINING

    setting = check_setting(options, options.out)
    draws = Draws.of(data, parsed_labels(options.labels), options.seeds, options.seed)
    for size, why in draws.left_out.items():
        say(f"warning: --labels {size} is left out: {why}")
    held_out = data.positions("test")
    n_units = len(held_out) if data.units is None else len(set(data.units[held_out].tolist()))
    if small := too_small(len(held_out), n_units, grouped=data.examples.groups is not None):
        say(f"warning: {small}")
    notes: list[str] = []
    with long_lived():
        plans = plans_of(options, data, clock)
        check_same(run, options, data, [plan.source for _, plan in plans])
        learners, random = learners_of(options, plans, len(draws.positions), setting, clock, notes)
        cells = Cells(run.path / TRAINING, len(held_out))
        with clock.phase("head"):
            measured = measure_all(learners, draws, cells, setting.n_threads)
        if random is not None:
            seconds = options.budget_seconds
            ends = None if seconds is None else started + seconds
            with clock.phase("tune"):
                passes = learners[0].method.item_seconds
                measured.append(with_scratch(random, draws, cells, len(learners), ends, passes))
        facts = assemble(plans[0][1], draws, measured, notes)
        return finish(run, options, data, plans[0][1], facts, clock)
