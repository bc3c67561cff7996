"""The fitting procedure: what happens in a fit, in order."""

from __future__ import annotations

import importlib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from headstart import processes
from headstart.clock import IMPORTS, Clock, long_lived
from headstart.errors import DivergenceError, InputError, OptionError
from headstart.fitting.options import FitOptions
from headstart.fitting.plan import Prepared, check_learnable, check_place, prepare
from headstart.fitting.report_facts import shown, task_words
from headstart.fitting.stages import stages_table
from headstart.progress import say
from headstart.runs.run import TRAINING, Run

if TYPE_CHECKING:
    from headstart.runs import RunDirectory


def run_fit(options: FitOptions, resume: Path | None = None) -> Run:
    """Fit by checked options, in this process or together with those of a launcher.

    Args:
        options: the options.
        resume: an unfinished run to resume, in its own folder.
    """
    if processes.count() > 1:
        return _fit_together(options, resume)
    processes.join("cpu")
    return _fit(options, resume)


def _fit_together(options: FitOptions, resume: Path | None) -> Run:
    """The same in every process of a launcher: the first writes the run, the others read what it wrote."""
    from headstart.features import choose_device
    from headstart.runs import RunDirectory

    if options.freeze == "auto":
        raise OptionError(
            "--freeze auto races within a budget in one process: find the policy there, then pass it "
            "with --freeze to the launcher"
        )
    with processes.together(choose_device(options.device).type):
        run = _fit(options, resume)
    return run if processes.is_first() else Run(run.path, RunDirectory.open(run.path).record.to_json(), "")


def _fit(config: FitOptions, resume: Path | None) -> Run:
    clock = Clock()
    with clock.phase(IMPORTS):
        import_packages()
    from headstart.fitting.evaluation import learn_and_evaluate
    from headstart.fitting.learner import Learner
    from headstart.fitting.saving import finish
    from headstart.tune.speedups.compiled import check_compiler

    check_place(config)
    processes.check_not_sharded()
    if config.compile:
        check_compiler()
    with (
        long_lived(),
        processes.first_goes_first(),
    ):  # which fetches a source that the others find in the cache
        job = prepare(config, clock)
    _say_findings(job)
    check_learnable(job, config)
    say(f"Stages under --freeze {job.policy.text}:\n{stages_table(job)}")
    run = _folder(config, resume)
    try:
        if resume is None:
            _write_configuration(run, config)
        with long_lived():
            learner = Learner(job, config, clock)
            learned, evaluation = learn_and_evaluate(learner, run.path / TRAINING, resume is not None)
        if resume is not None:  # only now: options that do not go with the checkpoints were refused
            _write_configuration(run, config)
        return finish(run, learner, learned, evaluation) if processes.is_first() else Run(run.path, {}, "")
    except InputError:
        if not processes.is_first():
            raise
        run.discard()
        raise
    except DivergenceError as error:  # the same settings would end there again
        error.add_note(f"Start a new run with them; {quoted(run)} keeps what was finished, for a look")
        raise
    except BaseException as error:
        error.add_note(f"What was finished is kept. Resume with: headstart fit --resume {quoted(run)}")
        raise
    finally:
        run.release()


def _folder(config: FitOptions, resume: Path | None) -> RunDirectory:
    """The run's folder, claimed by the first process alone."""
    from headstart.runs import RunDirectory

    claimed: list[RunDirectory] = []

    def claim() -> Path:
        if resume is not None:
            claimed.append(RunDirectory.resume(resume))
        else:
            name = config.out or Path("runs") / (Path(config.data).stem or "run")
            claimed.append(RunDirectory.create(name))
        return claimed[0].path

    path = processes.from_first(claim)
    return claimed[0] if claimed else RunDirectory(path)


def _write_configuration(run: RunDirectory, config: FitOptions) -> None:
    if processes.is_first():
        run.write_yaml("headstart.yaml", config.model_dump(), comment=_command_comment(run))


def quoted(run: RunDirectory) -> str:
    """The run's folder as one would type it."""
    return shlex.quote(str(shown(run)))


def import_packages() -> None:
    """Import what every run needs, so that its time is counted apart from the work."""
    for package in (
        "data.read",
        "data.loading",
        "sources",
        "features",
        "choose",
        "tune",
        "evidence",
        "runs",
        "report",
    ):
        importlib.import_module(f"headstart.{package}")
    for library in (
        "sklearn.model_selection",
        "scipy.linalg",
        "scipy.optimize",
        "scipy.sparse.csgraph",
        "pyarrow.parquet",
        "yaml",
    ):
        importlib.import_module(library)


def _say_findings(job: Prepared) -> None:
    examples = job.examples
    counts = {part: len(job.positions(part)) for part in ("train", "validation", "test")}
    say(
        f"{len(examples):,} items, {task_words(examples)}: "
        + ", ".join(f"{count:,} {part}" for part, count in counts.items() if count)
    )
    if examples.split_origin:
        say(examples.split_origin)
    for finding in job.findings:
        say(f"{finding.severity}: {finding.message}")


def _command_comment(run: RunDirectory) -> str:
    return f"headstart fit --config {run.path / 'headstart.yaml'}\nwritten by: {' '.join(sys.argv)}"
