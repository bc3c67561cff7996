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
from headstart.data.in_memory_data import DataInMemory
from headstart.errors import InputError, OptionError
from headstart.fitting.facts import shown
from headstart.fitting.preflight import check_setting
from headstart.fitting.procedure import import_packages
from headstart.fitting.reading import data_of, print_data, read_labelled
from headstart.fitting.source_data import check_source_data
from headstart.fitting.source_path import require_source
from headstart.progress import say

if TYPE_CHECKING:
    from headstart.data import DataSet, Examples
    from headstart.features import Setting
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
    require_source(options.source)
    check_source_data(options.source_data)
    if processes.count() > 1:
        raise OptionError("an audit runs in one process: start it without a launcher")
    examples = read_labelled(options, clock)  # what is wrong is reported before the seconds that imports take
    with clock.phase(IMPORTS):
        import_packages()
    from headstart.auditing.cells import Cells
    from headstart.auditing.saving import create
    from headstart.runs import RunDirectory
    from headstart.runs.directory import TRAINING

    setting = check_setting(options, options.out)
    data = _checked(examples, options, clock)
    run = create(options) if resume is None else RunDirectory.resume(resume)
    try:
        return _audit(options, data, setting, run, clock, started)
    except InputError:
        if resume is None and not Cells(run.path / TRAINING).any:
            shutil.rmtree(run.path / TRAINING, ignore_errors=True)
            run.discard()
        raise
    except BaseException as error:
        words = ["headstart", "audit", "--resume", str(shown(run)), *code_words(options)]
        if isinstance(options.data, DataInMemory):
            error.add_note(
                "The data was in memory, so no command can resume this audit: call headstart.audit again"
            )
        else:
            error.add_note(f"What was measured is kept. Resume with: {shlex.join(words)}")
        raise
    finally:
        run.release()


def _checked(examples: Examples, options: AuditOptions, clock: Clock) -> DataSet:
    data = data_of(examples, options, clock)
    if not len(data.positions("test")):
        raise InputError(
            f"{options.data}: the given split holds no test part, and an audit is measured on one: name one 'test' "
            "in the split column or folders"
        )
    print_data(data)
    return data


def _audit(
    options: AuditOptions, data: DataSet, setting: Setting, run: RunDirectory, clock: Clock, started: float
) -> Audit:
    from headstart.auditing.assembling import assemble
    from headstart.auditing.cells import Cells
    from headstart.auditing.curves import Held
    from headstart.auditing.draws import Draws
    from headstart.auditing.methods import learners_of, plans_of
    from headstart.auditing.saving import finish
    from headstart.auditing.scratch import with_scratch
    from headstart.auditing.warnings import too_small
    from headstart.auditing.work import measure_all
    from headstart.runs.directory import TRAINING

    draws = Draws.of(data, parsed_labels(options.labels), options.seeds, options.seed)
    for size, why in draws.left_out.items():
        say(f"warning: --labels {size} is left out: {why}")
    held = Held.of(data)
    n_items, n_units = held.units.n_items, held.units.n_units
    if small := too_small(n_items, n_units, grouped=data.examples.groups is not None):
        say(f"warning: {small}")
    notes: list[str] = []
    with long_lived():
        plans = plans_of(options, data, clock)
        check_same(run, options, data, [plan.source for _, plan in plans])
        learners, random = learners_of(options, plans, len(draws.positions), setting, clock, notes)
        cells = Cells(run.path / TRAINING, n_items)
        with clock.phase("head"):
            measured = measure_all(learners, draws, cells, setting.n_threads)
        if random is not None:
            seconds = options.budget_seconds
            ends = None if seconds is None else started + seconds
            with clock.phase("tune"):
                passes = learners[0].method.item_seconds
                measured.append(with_scratch(random, draws, cells, len(learners), ends, passes))
        facts = assemble(plans[0][1], held, draws, measured, notes)
        return finish(run, options, data, plans[0][1], facts, clock)
