"""Write what was learned: metrics and predictions first, then the model in its forms, report and card."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.clock import Clock, peak_bytes
from headstart.fitting.evaluation import Evaluation
from headstart.fitting.evidence import Evidence, gather
from headstart.fitting.learner import Learner
from headstart.fitting.report_facts import fit_report, run_facts
from headstart.fitting.result import Learned
from headstart.fitting.stages import stage_rows
from headstart.runs.run import TRAINING, Run

if TYPE_CHECKING:
    from headstart.runs import Predictions, Record, RunDirectory
    from headstart.runs.export import SavedModel


def finish(run: RunDirectory, learner: Learner, learned: Learned, evaluation: Evaluation) -> Run:
    """Write a run and close it.

    Args:
        run: the folder, claimed.
        learner: data, features and options.
        learned: the result.
        evaluation: what it gave on items it had not seen.
    """
    from headstart.report import end_block, render

    clock = learner.clock
    evidence = gather(learner, evaluation)
    with clock.phase("write"):
        run.write_predictions(_predictions(learner, evaluation))
        record = _record(learner, learned, evaluation, evidence)
        run.write_record(record)
    with clock.phase("export"):
        saved = _save(run, learned)
    record = _now(record, clock)
    with clock.phase("report"):
        shown = fit_report(run, learner, learned, evaluation, record)
        if learner.config.report:
            run.write_text("report.html", render(shown))
    record = _now(record, clock)
    _write_card(run, learner, saved, record)
    run.write_record(record)
    if learned.trained is not None:
        run.write_jsonl("history.jsonl", learned.trained.history)
    shutil.rmtree(run.file(TRAINING), ignore_errors=True)
    run.finish()
    return Run(run.path, record.to_json(), end_block(shown, has_report=learner.config.report))


def _now(record: Record, clock: Clock) -> Record:
    """The record with the seconds and the memory used so far."""
    return replace(record, seconds=clock.seconds, peak_bytes=peak_bytes())


def _predictions(learner: Learner, evaluation: Evaluation) -> Predictions:
    from headstart.runs import Predictions

    positions = evaluation.positions
    return Predictions(
        items=learner.job.examples.names[positions].tolist(),
        classes=learner.classes,
        probabilities=evaluation.probabilities,
        labels=learner.labels[positions].tolist(),
        task=learner.targets.task.name,
    )


def _record(learner: Learner, learned: Learned, evaluation: Evaluation, evidence: Evidence) -> Record:
    """The content of metrics.json."""
    from headstart.data import DataSet
    from headstart.runs import Chosen, DataFacts, Record, SourceFacts
    from headstart.tune import Policy

    job, trained = learner.job, learned.trained
    stages = tuple(job.source.stages)
    data = DataSet(job.examples, job.scan, tuple(job.findings), job.units)
    return Record(
        source=SourceFacts.of(job.source),
        data=DataFacts.of(data, str(learner.config.data)),
        task=learner.targets.task.name,
        n_train=learned.n_train,
        n_validation=learned.n_validation,
        n_test=len(evaluation.positions),
        test=evidence.test,
        baselines=evidence.baselines,
        verdict=evidence.verdict,
        chosen=Chosen(
            learned.policy,
            learned.cut,
            tuple(stages[index] for index in learned.head.stages),
            Policy.parse(learned.policy, stages).trained,
        ),
        profile={row.stage: float(row.score) for row in learned.choice.profile},
        verification=evidence.verification,
        best_epoch=None if trained is None else trained.best_epoch,
        n_folds=0 if evaluation.folds is None else len(np.unique(evaluation.folds)),
        seconds=learner.clock.seconds,
        peak_bytes=peak_bytes(),
        extra=_extra(learner, learned, evidence),
    )


def _extra(learner: Learner, learned: Learned, evidence: Evidence) -> dict[str, Any]:
    """What the choices rest on, as further entries of the record."""
    extra: dict[str, Any] = {"reason": learned.reason, "stages": stage_rows(learner.job, learned)}
    if learned.trained is not None:
        extra.update(learned.trained.evidence)
        extra["recipe"] = learned.trained.recipe.model_dump(mode="json")
    if learned.auto is not None:
        extra["candidates"] = [candidate.to_json() for candidate in learned.auto.candidates]
    if evidence.calibration:
        extra["calibration"] = dict(evidence.calibration)
    if evidence.verification_notes:
        extra["verification_trials"] = dict(evidence.verification_notes)
    return extra


def _save(run: RunDirectory, learned: Learned) -> SavedModel:
    from headstart.backbone import Backbone
    from headstart.heads.predictor import Predictor
    from headstart.runs.export import save_model

    source = learned.source
    predictor = Predictor(Backbone(source.network, source.stages), learned.head).eval()
    return save_model(
        run,
        predictor=predictor,
        network=source.network,
        head=learned.head,
        source_config=source.config,
        preprocessing=source.preprocessing.to_json(),
    )


def _write_card(run: RunDirectory, learner: Learner, saved: SavedModel, record: Record) -> None:
    from headstart.runs.card import write_card

    source, facts = learner.job.source, run_facts(run, learner)
    write_card(run, record, facts, saved, source.preprocessing.to_json())
    run.write_json("environment.json", {**facts.environment, "command": facts.command})
    architecture = source.config.get("architecture_file")
    if architecture is not None:
        run.write_text("architecture.py", Path(str(architecture)).read_text(encoding="utf-8"))
