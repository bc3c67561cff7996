"""Write an evaluation: predictions, metrics.json, scores.csv and report.html in a run directory of its own kind."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.clock import Clock, peak_bytes
from headstart.data.in_memory_data import DataInMemory
from headstart.data.items import take_items
from headstart.evaluating.options import EvaluateOptions
from headstart.evaluating.own import OwnScore
from headstart.evaluating.result import Evaluation, rows
from headstart.evaluating.scoring import Scored
from headstart.files import name_of
from headstart.fitting import reported_run
from headstart.fitting.configuration import code_flags
from headstart.fitting.facts import run_facts
from headstart.fitting.labelled_items import LabelledItems
from headstart.fitting.shared_options import flags_of
from headstart.progress import waiting

if TYPE_CHECKING:
    from headstart.runs import Predictions, RunDirectory
    from headstart.runs.evaluation import EvaluationFacts

TABLE = "scores.csv"


def create(options: EvaluateOptions) -> RunDirectory:
    """Claim the folder of an evaluation."""
    return reported_run.claim(options, f"by-{name_of(str(options.run))}")


def finish(
    run: RunDirectory,
    options: EvaluateOptions,
    own: OwnScore,
    items: LabelledItems,
    scored: Scored,
    windows: Predictions | None,
    facts: EvaluationFacts,
    clock: Clock,
) -> Evaluation:
    """Write an evaluation and close its folder.

    Args:
        run: the folder, claimed.
        options: of the evaluation.
        own: the run that was evaluated.
        items: that were scored.
        scored: what the run gives for them.
        windows: of every window of recordings; None if they were not asked for.
        facts: what was found.
        clock: the seconds of the phases.
    """
    from headstart.report.items.report import HeldOut
    from headstart.report.pages.evaluate import EvaluateReport
    from headstart.runs import DataFacts, Predictions, Record

    reported_run.write_configuration(run, options, "evaluate")
    answers = scored.answers(own.decision)
    examples = items.data.examples
    labels = [str(label) for label in examples.labels]  # type: ignore[union-attr]
    names = examples.names.tolist()
    run.write_predictions(
        Predictions(
            names,
            scored.targets.classes,
            scored.outputs,
            labels,
            task=scored.targets.task.name,
            answers=None if answers is None else answers.tolist(),
            given={name: values.tolist() for name, values in examples.other_columns.items()},
        )
    )
    if windows is not None:
        windows.write(run.file("windows.csv"))
    record = Record(
        kind="evaluate",
        source=own.record.source,
        data=DataFacts.of(items.data, str(options.data)),
        task=scored.targets.task.name,
        n_test=len(items),
        test=scored.scores,
        seconds=clock.seconds,
        peak_bytes=peak_bytes(),
        extra={"evaluation": facts.to_json(), **scored.decided(own.decision, answers)},
    )
    about = run_facts(run, items.data, items.data.findings)
    about = replace(about, classes=scored.targets.classes if scored.targets.task.has_classes else ())
    held_out = HeldOut(
        take_items(examples.items, np.arange(len(examples))),
        names,
        labels,
        scored.codes,
        scored.outputs,
        scored.units,
        answers,
    )
    shown = EvaluateReport(
        record,
        about,
        held_out,
        found=facts,
        next_command=next_command(options, facts),
        own_positive=own.positive(scored.targets),
    )
    with waiting("Writing the report …"):
        summary = reported_run.finish(run, shown, TABLE, rows(scored.scores, facts), report=options.report)
    return Evaluation(run.path, record.to_json(), summary, facts)


def next_command(options: EvaluateOptions, facts: EvaluationFacts) -> str:
    """The command to run next where the run does worse here: adapt it, without labels; "" if there is none."""
    from headstart.runs import RunDirectory
    from headstart.runs.training_statistics import has_statistics

    folder = Path(str(options.run)).expanduser()
    of_memory = isinstance(options.data, DataInMemory)  # no command can name it
    if of_memory or facts.outcome != "worse" or facts.unknown or not has_statistics(folder):
        return ""
    words = ["headstart", "adapt", str(options.run), str(options.data)]
    fitted = RunDirectory.open(folder).config
    words += code_flags(next((each for each in fitted.values() if isinstance(each, dict)), {}))
    return shlex.join([*words, *flags_of(options, ("target", "group", "text", "follow_outside"))])
