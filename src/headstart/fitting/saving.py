"""Write what was learned: metrics and predictions first, then the model in its forms, report and card."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.clock import peak_bytes
from headstart.fitting.evaluation import Evaluation
from headstart.fitting.evidence import Evidence, gather
from headstart.fitting.learner import Learner
from headstart.fitting.report_facts import command_written, report_context
from headstart.fitting.result import Learned
from headstart.fitting.stages import stage_rows
from headstart.runs.run import TRAINING, Run

if TYPE_CHECKING:
    from headstart.report import ReportContext
    from headstart.runs import Metrics, Predictions, RunDirectory
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
        run.write_metrics(_metrics(learner, learned, evaluation, evidence))
    with clock.phase("export"):
        saved = _save(run, learned)
    metrics = _metrics(learner, learned, evaluation, evidence)
    with clock.phase("report"):
        context = report_context(run, learner, learned, evaluation, metrics.to_json())
        if learner.config.report:
            run.write_text("report.html", render(context))
    metrics = _metrics(learner, learned, evaluation, evidence)
    _write_card(run, learner, saved, metrics, context)
    run.write_metrics(metrics)
    if learned.trained is not None:
        run.write_jsonl("history.jsonl", learned.trained.history)
    shutil.rmtree(run.file(TRAINING), ignore_errors=True)
    run.finish()
    return Run(run.path, metrics.to_json(), end_block(context, has_report=learner.config.report))


def _predictions(learner: Learner, evaluation: Evaluation) -> Predictions:
    from headstart.runs import Predictions

    positions = evaluation.positions
    return Predictions(
        items=learner.job.examples.names[positions].tolist(),
        classes=learner.classes,
        probabilities=evaluation.probabilities,
        labels=learner.labels[positions].tolist(),
        task=learner.targets.task,
    )


def _metrics(learner: Learner, learned: Learned, evaluation: Evaluation, evidence: Evidence) -> Metrics:
    from headstart.runs import Chosen, Interval, Metrics, Verdict

    def scores(found: Any) -> dict[str, Interval]:
        return {name: Interval.of(score) for name, score in found.items()}

    stages = tuple(learner.job.source.stages)
    told = evidence.verdict
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
    return Metrics(
        n_train=learned.n_train,
        n_validation=learned.n_validation,
        n_test=len(evaluation.positions),
        test=scores(evidence.test),
        chosen=Chosen(learned.policy, learned.cut, tuple(stages[index] for index in learned.head.stages)),
        seconds=learner.clock.seconds,
        peak_bytes=peak_bytes(),
        verdict=Verdict(told.outcome, told.against, told.metric, Interval.of(told.difference)),
        baselines={name: scores(found) for name, found in evidence.baselines.items()},
        profile={row.stage: float(row.score) for row in learned.choice.profile},
        verification=None if evidence.verification is None else scores(evidence.verification),
        extra=extra,
        task=learner.targets.task,
    )


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


def _write_card(
    run: RunDirectory, learner: Learner, saved: SavedModel, metrics: Metrics, context: ReportContext
) -> None:
    from headstart.runs.card import CardFacts, write_card

    source = learner.job.source
    facts = CardFacts(
        name=run.path.name,
        data=str(learner.config.data),
        target=context.target,
        source=source.uri,
        provenance=source.provenance.to_json(),
        command=command_written(),
        parts={part.name: part.counts for part in context.parts},
        n_items={part.name: part.n_items for part in context.parts},
        group=context.group,
        split_origin=context.split_origin,
        n_folds=context.n_folds,
        findings=[finding.message for finding in learner.job.findings],
        limits=["Learned from every label after the evaluation, which is of the model before."]
        if learner.config.refit_all and learner.config.folds is None
        else [],
        environment=context.environment,
    )
    write_card(run, facts, metrics, saved, source.preprocessing.to_json(), learner.classes)
    run.write_json("environment.json", {**context.environment, "command": command_written()})
    architecture = source.config.get("architecture_file")
    if architecture is not None:
        run.write_text("architecture.py", Path(str(architecture)).read_text(encoding="utf-8"))
