"""fit: from a folder, a table or recordings to a trained, explained model."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart import processes
from headstart.clock import IMPORTS, Clock, long_lived
from headstart.errors import DivergenceError, InputError, OptionError
from headstart.fitting.options import FitConfig, fit_config, read_config
from headstart.fitting.plan import Prepared, check_learnable, check_place, prepare
from headstart.fitting.report_facts import shown, task_words
from headstart.fitting.stages import stages_table
from headstart.progress import say
from headstart.runs.run import TRAINING, Run

if TYPE_CHECKING:
    from headstart.runs import RunDirectory


def fit(data: str | Path, source: str | None = None, *, out: str | Path | None = None, **options: Any) -> Run:
    """Fit a model to labelled data from a pretrained source, and explain it.

    Args:
        data: a folder, a table, an npz or a hub id.
        source: `timm:NAME`, `hf:NAME`, a folder, a file, `run:RUN` or `bundled:letters`; None: the default of
            the data's modality.
        out: the run's folder, numbered where it exists; None: `runs/` and the name of the data.
        options: fields of `FitConfig` by name, such as freeze="until:layer3".

    Returns:
        The run.

    Raises:
        InputError: anything about the data, the source or the options is wrong.
    """
    config = fit_config(data=data, source=source, **options)
    return fit_config_to_run(config, None if out is None else Path(out))


def options_of_command(given: dict[str, Any], config: Path | None, resume: Path | None) -> FitConfig:
    """The options of a `fit` command: those written there go over those of a file or an unfinished run.

    Args:
        given: options as written on the command line.
        config: a headstart.yaml.
        resume: an unfinished run to go on with.

    Raises:
        OptionError: an option is wrong, or there is no data to fit.
    """
    if resume is not None:
        from headstart.runs import RunDirectory

        if processes.is_first():
            RunDirectory.resume(resume).release()  # says at once what cannot be gone on with
        config = resume / "headstart.yaml"
    options = {} if config is None else read_config(config)
    if resume is not None:
        _check_same_run(resume, options, given)
    options.update(given)
    if options.get("data") is None:
        raise OptionError("say what to fit: headstart fit DATA --source SOURCE")
    return fit_config(**options)


def _check_same_run(run: Path, saved: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse to go on with a run as if it were another.

    Data that moved may be named again, since the checkpoints know their content; the head alone keeps none.

    Raises:
        OptionError: the policy or the source is another one, or the data where only the head is fitted.
    """
    freeze = saved.get("freeze", "all")
    for name in ("freeze", "source", "data") if freeze == "all" else ("freeze", "source"):
        was, is_ = saved.get(name) or "the default", given.get(name)
        if is_ is not None and not _same(str(was), str(is_)):
            raise OptionError(
                f"the run {run} is another run: {name} was {was}, is {is_}. "
                "Resume with the same settings, or start a new run"
            )


def _same(one: str, other: str) -> bool:
    """Whether two options are equal, or paths to one place."""
    return one == other or (Path(one).exists() and Path(other).exists() and Path(one).samefile(other))


def fit_config_to_run(config: FitConfig, out: Path | None = None, resume: Path | None = None) -> Run:
    """Fit by checked options; the order of the rooms.

    Args:
        config: the options.
        out: the run's folder, numbered where it exists; None: `runs/` and the name of the data.
        resume: an unfinished run to go on with, in its own folder.
    """
    if resume is not None and out is not None:
        raise OptionError("--resume goes on in the run's own folder: leave --out away")
    if processes.count() > 1:
        return _fit_together(config, out, resume)
    processes.join("cpu")
    return _fit(config, out, resume)


def _fit_together(config: FitConfig, out: Path | None, resume: Path | None) -> Run:
    """The same in every process of a launcher: the first writes the run, the others read what it says."""
    from headstart.features import choose_device
    from headstart.runs import RunDirectory

    if config.freeze == "auto":
        raise OptionError(
            "--freeze auto races within a budget in one process: find the policy there, then pass it "
            "with --freeze to the launcher"
        )
    with processes.together(choose_device(config.device).type):
        run = _fit(config, out, resume)
    return run if processes.is_first() else Run(run.path, RunDirectory.open(run.path).metrics.to_json(), "")


def _fit(config: FitConfig, out: Path | None, resume: Path | None) -> Run:
    clock = Clock()
    with clock.phase(IMPORTS):
        import_rooms()
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
    run = _folder(config, out, resume)
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
        error.add_note(f"What was finished is kept. Go on with: headstart fit --resume {quoted(run)}")
        raise
    finally:
        run.release()


def _folder(config: FitConfig, out: Path | None, resume: Path | None) -> RunDirectory:
    """The run's folder, claimed by the first process alone."""
    from headstart.runs import RunDirectory

    claimed: list[RunDirectory] = []

    def claim() -> Path:
        if resume is not None:
            claimed.append(RunDirectory.resume(resume))
        else:
            name = out or Path("runs") / (Path(config.data).stem or "run")
            claimed.append(RunDirectory.create(name))
        return claimed[0].path

    path = processes.from_first(claim)
    return claimed[0] if claimed else RunDirectory(path)


def _write_configuration(run: RunDirectory, config: FitConfig) -> None:
    if processes.is_first():
        run.write_yaml("headstart.yaml", config.model_dump(), comment=_command_comment(run))


def quoted(run: RunDirectory) -> str:
    """The run's folder as one would type it."""
    return shlex.quote(str(shown(run)))


def import_rooms() -> None:
    """Import what every run needs, so that its time stands apart from the work."""
    import importlib

    for room in (
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
        importlib.import_module(f"headstart.{room}")
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
