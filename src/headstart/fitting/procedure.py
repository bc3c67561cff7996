"""The fitting procedure: what happens in a fit, in order."""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headstart import processes
from headstart.clock import IMPORTS, Clock, long_lived
from headstart.data.in_memory_data import DataInMemory, place_of
from headstart.errors import DivergenceError, InputError, OptionError
from headstart.fitting.configuration import code_flags, with_absolute_paths
from headstart.fitting.facts import command_written, shown, task_words
from headstart.fitting.learnable import check_plan
from headstart.fitting.options import FitOptions
from headstart.fitting.plan import Plan, plan_fit
from headstart.fitting.preflight import check_machine
from headstart.fitting.reading import read_labelled
from headstart.fitting.source_data import check_source_data
from headstart.fitting.source_path import require_source
from headstart.fitting.stages import stages_table
from headstart.fitting.threshold import check_threshold
from headstart.progress import say, waiting
from headstart.runs.directory import TRAINING
from headstart.runs.run import Run
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.features import Setting
    from headstart.runs import RunDirectory
    from headstart.tracking.tracking import Tracking
    from headstart.tune.loop.setup import OnEpoch

_PACKAGES = (
    "data.read",
    "data.loading",
    "sources",
    "features",
    "choose",
    "tune",
    "evidence",
    "runs",
    "report",
)
_LIBRARIES = (
    "sklearn.model_selection",
    "scipy.linalg",
    "scipy.optimize",
    "scipy.sparse.csgraph",
    "pyarrow.parquet",
    "yaml",
)


def run_fit(options: FitOptions, resume: Path | None = None, *, recorded: bool = True) -> Run:
    """Fit by checked options, in this process or together with the others of a launcher.

    Args:
        options: the options.
        resume: an unfinished run to resume, in its own folder.
        recorded: whether the run is added to the user's record of finished runs.
    """
    if processes.count() > 1:
        return _fit_together(options, resume, recorded)
    processes.join("cpu")
    return _fit(options, resume, recorded)


def _fit_together(options: FitOptions, resume: Path | None, recorded: bool) -> Run:
    """The same in every process of a launcher: the first writes the run, the others read what it wrote."""
    from headstart.features import choose_device
    from headstart.runs import RunDirectory

    if options.freeze == "auto":
        raise OptionError(
            "--freeze auto races within a budget in one process: find the policy there, then pass it "
            "with --freeze to the launcher"
        )
    with processes.together(choose_device(options.device).type):
        run = _fit(options, resume, recorded)
    return run if processes.is_first() else Run(run.path, RunDirectory.open(run.path).record.to_json(), "")


def _fit(options: FitOptions, resume: Path | None, recorded: bool) -> Run:
    clock = Clock()
    require_source(options.source)
    check_source_data(options.source_data)
    with processes.first_goes_first():  # a data set of the hub: the others find it in the cache
        # What is wrong is reported before the seconds that imports take.
        examples = read_labelled(options, clock)
        check_threshold(options.threshold_rule, examples)
    with clock.phase(IMPORTS):
        import_packages()
    setting = check_machine(options)
    with long_lived(), processes.first_goes_first():  # the same for a source
        plan = plan_fit(examples, options, clock)
    _print_plan(plan)
    check_plan(plan, options)
    say(f"Stages under --freeze {plan.policy.text}:\n{stages_table(plan)}")
    options = options.resolved(plan.source.uri, setting.precision)
    run = _folder(options, resume)
    try:
        with _tracked(run, options) as tracking:
            on_epoch = None if tracking is None else tracking.on_epoch
            return _learn_and_write(
                run, options, plan, setting, clock, on_epoch, resume=resume is not None, recorded=recorded
            )
    except InputError:
        if processes.is_first():
            run.discard()
        raise
    except DivergenceError as error:  # the same settings would fail in the same place
        error.add_note(
            f"Start a new run with them; {_quoted(run)} keeps what was finished, so that you can look at it"
        )
        raise
    except BaseException as error:
        error.add_note(_how_to_resume(run, options))
        raise
    finally:
        run.release()


def _learn_and_write(
    run: RunDirectory,
    options: FitOptions,
    plan: Plan,
    setting: Setting,
    clock: Clock,
    on_epoch: OnEpoch | None,
    *,
    resume: bool,
    recorded: bool,
) -> Run:
    from headstart.fitting.evaluation import learn_and_evaluate
    from headstart.fitting.evidence import gather
    from headstart.fitting.learning import AgainstClassical
    from headstart.fitting.saving import finish
    from headstart.fitting.workspace import Workspace

    with long_lived():
        workspace = Workspace(plan, setting, options.store, clock, on_epoch=on_epoch)
        result, evaluation = learn_and_evaluate(
            workspace,
            run.path / TRAINING,
            resume,
            n_folds=options.folds,
            refit_all=options.refit_all,
            against=AgainstClassical(foresees=options.baseline, guards=options.guard),
        )
    if resume:  # only now, since options that do not fit the checkpoints were refused before
        _write_configuration(run, options)
    if not processes.is_first():
        return Run(run.path, {}, "")
    of_source = result.classical is None
    evidence = gather(workspace, evaluation, classical=options.baseline, verifies=of_source)
    return finish(run, options, workspace, result, evaluation, evidence, recorded=recorded)


@contextmanager
def _tracked(run: RunDirectory, options: FitOptions) -> Iterator[Tracking | None]:
    """What --track names, in the first process: it gets what the run holds when the block ends well."""
    if options.track is None:
        yield None
        return
    from headstart.tracking.tracking import Tracking

    library, started = options.track, list[Tracking]()
    # If it cannot start, the other processes must not wait for the first.
    processes.from_first(lambda: started.append(Tracking.start(library, run.path, run.path / TRAINING)))
    try:
        yield started[0] if started else None
    except BaseException as error:
        for tracking in started:
            tracking.stop(failed=isinstance(error, Exception))
        raise
    for tracking in started:
        tracking.finish(run.record.to_json(), options.model_dump())


def _folder(options: FitOptions, resume: Path | None) -> RunDirectory:
    """The run's folder, claimed by the first process alone; a new one holds its configuration."""
    from headstart.runs import RunDirectory

    claimed: list[RunDirectory] = []

    def claim() -> Path:
        if resume is not None:
            claimed.append(RunDirectory.resume(resume))
        else:
            name = options.out or Path("runs") / (place_of(options.data).stem or "run")
            claimed.append(RunDirectory.create(name))
            try:
                _write_configuration(claimed[0], options)
            except BaseException:
                claimed[0].discard()
                raise
        return claimed[0].path

    path = processes.from_first(claim)
    return claimed[0] if claimed else RunDirectory(path)


def _write_configuration(run: RunDirectory, options: FitOptions) -> None:
    if processes.is_first():
        words = ["headstart", "fit", "--config", str(run.path / "headstart.yaml")]
        content = with_absolute_paths(options.model_dump())
        again = shlex.join([*words, *code_flags(content)])
        if isinstance(options.data, DataInMemory):
            again = f"headstart.fit on a {options.data}: no command makes this run again"
        command = f"{again}\nwritten by: {command_written(sys.argv)}"
        run.write_yaml("headstart.yaml", content, comment=command)


def _how_to_resume(run: RunDirectory, options: FitOptions) -> str:
    """What to do after a stop, in a sentence."""
    if isinstance(options.data, DataInMemory):
        return (
            "The data was in memory, so no command can resume this run: call headstart.fit again. Features that were "
            f"extracted are kept in the store and are not computed again; {_quoted(run)} may be removed."
        )
    words = ["headstart", "fit", "--resume", str(shown(run)), *code_flags(options.model_dump())]
    return f"What was finished is kept. Resume with: {shlex.join(words)}"


def _quoted(run: RunDirectory) -> str:
    """The run's folder, quoted for a shell."""
    return shlex.quote(str(shown(run)))


def import_packages() -> None:
    """Import what every run needs, so that its time is counted apart from the work."""
    with waiting("Loading libraries …"):
        for package in _PACKAGES:
            importlib.import_module(f"headstart.{package}")
        for library in _LIBRARIES:
            importlib.import_module(library)


def _print_plan(plan: Plan) -> None:
    examples = plan.data.examples
    counts = {part: len(plan.data.positions(part)) for part in ("train", "validation", "test")}
    say(
        f"{counted(len(examples), 'items')}, {task_words(examples)}: "
        + ", ".join(f"{count:,} {part}" for part, count in counts.items() if count)
    )
    if examples.split_origin:
        say(examples.split_origin)
    for finding in plan.findings:
        say(f"{finding.severity}: {finding.message}")
