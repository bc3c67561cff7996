"""From a run's objects to the plain data that the report is made from."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.fitting.evaluation import Evaluation
from headstart.fitting.learner import Learner
from headstart.fitting.result import Learned

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.data import Examples
    from headstart.metrics import Interval
    from headstart.report.pages.fit import FitReport
    from headstart.runs import Record, RunDirectory, RunFacts, SplitPart


def fit_report(
    run: RunDirectory, learner: Learner, learned: Learned, evaluation: Evaluation, record: Record
) -> FitReport:
    """Gather what the report and the end of the command show.

    Args:
        run: the run's folder.
        learner: data, features and options.
        learned: the result.
        evaluation: what it gave on items it had not seen.
        record: the content of metrics.json.
    """
    from headstart.data.items import take_items
    from headstart.report.pages.fit import FitReport, HeldOut

    job, positions = learner.job, evaluation.positions
    examples, task, choice = job.examples, learner.targets.task, learned.choice
    inside = evaluation.folds is None and choice.profile and not task.many_per_item
    return FitReport(
        record=record,
        facts=run_facts(run, learner),
        held_out=HeldOut(
            take_items(examples.items, positions),
            examples.names[positions].tolist(),
            learner.labels[positions].tolist(),
            learner.codes[positions],
            evaluation.probabilities,
        ),
        profile=choice.profile,
        cross_validated=_inside(choice) if inside else None,
        candidates=() if learned.auto is None else learned.auto.candidates,
        history=() if learned.trained is None else learned.trained.history,
        quality=task.quality_name(balanced=job.recipe.weighs_rare_classes),
        next_command=_next_command(learner),
    )


def task_words(examples: Examples) -> str:
    """What is learned, in a few words."""
    if not examples.task.has_classes:
        return f"the quantity '{examples.target}'"
    return f"{len(examples.classes)} {examples.task.words.outputs}"


def _inside(choice: Choice) -> Interval:
    """The quality of the head alone inside the training part, out of fold."""
    from headstart.metrics import Interval

    quality, half = choice.chosen.quality, 1.96 * choice.chosen.standard_error
    return Interval.of({"value": quality, "low": max(0.0, quality - half), "high": min(1.0, quality + half)})


def environment() -> dict[str, str]:
    """Versions and machine, as kept with a run."""
    packages = ("headstart", "torch", "timm", "transformers", "scikit-learn", "numpy")
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {
        "python": platform.python_version(),
        **versions,
        "machine": f"{platform.system()} {platform.machine()}",
    }


def command_written() -> str:
    """The command line of this process, as one would type it."""
    words = ["headstart", *sys.argv[1:]] if sys.argv and "headstart" in sys.argv[0] else sys.argv
    return shlex.join(words)


def shown(run: RunDirectory) -> Path:
    """The run's folder, from the folder one is in where it lies below."""
    here = Path.cwd()
    return run.path.relative_to(here) if run.path.is_relative_to(here) else run.path


def run_facts(run: RunDirectory, learner: Learner) -> RunFacts:
    """What card and report say about the run beside its record.

    Args:
        run: the run's folder.
        learner: data, features and options.
    """
    from headstart.runs import RunFacts

    job, config = learner.job, learner.config
    return RunFacts(
        run=str(shown(run)),
        command=command_written(),
        classes=job.examples.classes,
        parts=_parts(learner),
        split_origin=job.examples.split_origin,
        findings=tuple(job.findings),
        refitted=config.refit_all and config.folds is None,
        environment=environment(),
        created=time.strftime("%Y-%m-%d %H:%M"),
    )


def _parts(learner: Learner) -> tuple[SplitPart, ...]:
    from headstart.runs import SplitPart

    examples, parts = learner.job.examples, []
    for name in ("train", "validation", "test"):
        positions = learner.job.positions(name)
        if len(positions):
            groups = None if examples.groups is None else len(set(examples.groups[positions]))
            parts.append(
                SplitPart(name, len(positions), groups, examples.task.counts(learner.labels[positions]))
            )
    return tuple(parts)


def _next_command(learner: Learner) -> str:
    config = learner.config
    if config.freeze != "all":
        return ""
    words = ["headstart", "fit", str(config.data)]
    for name in ("source", "arch", "target", "task", "group", "modality", "folds", "head"):
        value = getattr(config, name)
        if value is not None and value != "auto":
            words += [f"--{name}", str(value)]
    return shlex.join([*words, "--freeze", "auto", "--budget", "5m"])
