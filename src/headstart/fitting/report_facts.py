"""From a run's objects to the plain data that the report is made from."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.fitting.evaluation import Evaluation
from headstart.fitting.learner import Learner
from headstart.fitting.result import Learned

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.data import Examples
    from headstart.metrics import Bin, LabelRow
    from headstart.report import Candidate, Notice, ReportContext, Score, WrongItem
    from headstart.runs import RunDirectory, RunFacts, SplitPart
    from headstart.tasks import Task

FEW_GROUPS = 10


def report_context(
    run: RunDirectory,
    learner: Learner,
    learned: Learned,
    evaluation: Evaluation,
    metrics: Mapping[str, Any],
) -> ReportContext:
    """Gather what the report and the end of the command show.

    Args:
        run: the run's folder.
        learner: data, features and options.
        learned: the result.
        evaluation: what it gave on items it had not seen.
        metrics: the content of metrics.json.
    """
    from headstart.metrics import confusion_matrix
    from headstart.report import (
        CalibrationBin,
        HistoryPoint,
        ProfilePoint,
        ReportContext,
    )
    from headstart.tune import Policy

    job, positions = learner.job, evaluation.positions
    examples, choice = job.examples, learned.choice
    codes, probabilities = learner.codes[positions], evaluation.probabilities
    by = examples.task.quality_name(balanced=job.recipe.weighs_rare_classes)
    inside = evaluation.folds is None and choice.profile and not examples.task.many_per_item
    return ReportContext(
        run=str(shown(run)),
        source=job.source.uri,
        modality=examples.modality,
        metrics=metrics,
        classes=examples.classes,
        task=examples.task.name,
        confusion=confusion_matrix(codes, probabilities) if examples.task.one_per_item else None,
        labels=_labels(learner, evaluation),
        values=None if examples.task.has_classes else np.stack([codes[:, 0], probabilities[:, 0]], axis=1),
        target=examples.target,
        group=examples.group,
        n_groups=None if examples.groups is None else len(set(examples.groups)),
        all_stages=tuple(job.source.stages),
        trained_stages=Policy.parse(learned.policy, tuple(job.source.stages)).trained,
        n_folds=0 if evaluation.folds is None else len(np.unique(evaluation.folds)),
        calibration=tuple(
            CalibrationBin(b.low, b.high, b.n_items, b.confidence, b.accuracy)
            for b in _bins(examples.task, codes, probabilities)
        ),
        profile_metric=examples.task.quality_name(),
        validation_metric=by,
        profile=tuple(ProfilePoint(row.stage, row.score, row.low, row.high) for row in choice.profile),
        history=tuple(
            HistoryPoint(
                epoch=row["epoch"],
                train_loss=row.get("train_loss"),
                validation_loss=row.get("validation_loss"),
                score=row.get(f"validation_{by}"),
                lr=row.get("lr"),
                seconds=row.get("seconds"),
            )
            for row in (learned.trained.history if learned.trained is not None else ())
        ),
        wrong=_worst(learner, evaluation),
        findings=tuple(job.findings),
        parts=_parts(learner),
        split_origin=examples.split_origin,
        candidates=_candidates(learned),
        notices=tuple(_notices(learner, learned, evaluation)),
        cross_validated=_inside(choice) if inside else None,
        command=f"headstart fit --config {shlex.quote(str(shown(run) / 'headstart.yaml'))}",
        next_command=_next_command(learner),
        provenance=_provenance(learner),
        environment=environment(),
        created=time.strftime("%Y-%m-%d %H:%M"),
    )


def _notices(learner: Learner, learned: Learned, evaluation: Evaluation) -> Iterator[Notice]:
    """What the numbers alone do not tell: why this head, and how few groups the intervals rest on."""
    from headstart.report import Notice

    if learned.reason:
        yield Notice("note", "Why this head", learned.reason)
    groups = learner.job.examples.groups
    n_groups = FEW_GROUPS if groups is None else len(set(groups[evaluation.positions]))
    if n_groups < FEW_GROUPS:
        name = learner.job.examples.group or "group"
        yield Notice(
            "warning",
            f"The intervals rest on {n_groups} values of '{name}'",
            "Whole groups are resampled, and so few of them say little about the next one. "
            "Evaluate with --folds, so that every group is held out once.",
        )


def task_words(examples: Examples) -> str:
    """What is learned, in a few words."""
    if not examples.task.has_classes:
        return f"the quantity '{examples.target}'"
    return f"{len(examples.classes)} {examples.task.words.outputs}"


def _labels(learner: Learner, evaluation: Evaluation) -> tuple[LabelRow, ...]:
    """One row a label, where an item has any number of them."""
    from headstart.metrics import label_rows

    if not learner.targets.task.many_per_item:
        return ()
    truth = learner.codes[evaluation.positions]
    return tuple(label_rows(truth, evaluation.probabilities, learner.classes))


def _bins(task: Task, codes: np.ndarray, probabilities: np.ndarray) -> Sequence[Bin]:
    """The bins of the reliability diagram; none for a quantity."""
    from headstart.metrics import calibration_bins, label_bins

    if not task.has_classes:
        return ()
    return (label_bins if task.many_per_item else calibration_bins)(codes, probabilities)


def _worst(learner: Learner, evaluation: Evaluation) -> tuple[WrongItem, ...]:
    """The held-out items whose answer is furthest off."""
    from headstart.data.items import take_items
    from headstart.report import hardest_items, worst_items

    examples, positions = learner.job.examples, evaluation.positions
    items = take_items(examples.items, positions)
    names, labels = examples.names[positions].tolist(), learner.labels[positions].tolist()
    outputs, task = evaluation.probabilities, examples.task
    if task.one_per_item:
        return worst_items(items, names, labels, outputs, learner.classes, examples.modality)
    losses = task.item_losses(outputs, learner.codes[positions])
    predicted = learner.targets.decode(outputs)
    if not task.has_classes:
        texts = [f"{value:.4g}" for value in predicted]
        labels = [f"{float(label):.6g}" for label in labels]
        return hardest_items(items, names, labels, texts, losses, examples.modality)
    right = predicted == np.asarray(labels, dtype=object)
    texts = predicted.tolist()
    return hardest_items(items, names, labels, texts, np.where(right, -1.0, losses), examples.modality)


def _inside(choice: Choice) -> Score:
    """The quality of the head alone inside the training part, out of fold."""
    from headstart.report import Score

    quality, half = choice.chosen.quality, 1.96 * choice.chosen.standard_error
    return Score(quality, max(0.0, quality - half), min(1.0, quality + half))


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


def _candidates(learned: Learned) -> tuple[Candidate, ...]:
    from headstart.report import Candidate, Score

    if learned.auto is None:
        return ()
    found = []
    for each in learned.auto.candidates:
        score = None if each.accuracy is None else Score(each.accuracy)
        found.append(Candidate(each.name, score, each.seconds, each.chosen, each.why))
    return tuple(found)


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


def _provenance(learner: Learner) -> dict[str, str]:
    told = learner.job.source.provenance
    known = {
        "architecture": told.architecture,
        "library": told.library,
        "revision": told.revision,
        "licence": told.licence,
        "upstream task": told.upstream,
        "parameters": f"{told.n_parameters:,}",
        "digest": learner.job.source.digest[:16],
    }
    return {name: str(value) for name, value in known.items() if value}
