"""Write what was learned: metrics and predictions first, then the model in its forms, report and card."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.clock import Clock, peak_bytes
from headstart.fitting.augmented import picture_views
from headstart.fitting.cross_validated import cross_validated, shift_of
from headstart.fitting.decision import answers_of, decision_of, missed
from headstart.fitting.evaluation import Evaluation
from headstart.fitting.evidence import Evidence, units_of
from headstart.fitting.facts import next_command, run_facts
from headstart.fitting.label_check import check_labels
from headstart.fitting.learned_items import learned_items
from headstart.fitting.options import FitOptions
from headstart.fitting.recording import record_finished
from headstart.fitting.result import Result
from headstart.fitting.returned import chosen_in, returned_by, save
from headstart.fitting.stages import stage_rows
from headstart.fitting.statistics import summary_of
from headstart.fitting.workspace import Workspace
from headstart.progress import say, waiting
from headstart.run_files import DIGESTS, EXPORTED, digests_of
from headstart.runs.decision import KEY
from headstart.runs.record import RETURNED_IN_FOLDS
from headstart.runs.run import Run

if TYPE_CHECKING:
    from headstart.report.pages.fit import FitReport
    from headstart.runs import Predictions, Record, RunDirectory, RunFacts
    from headstart.runs.export import SavedModel
    from headstart.runs.label_check import LabelCheck
    from headstart.sources import Source

LABEL_ERRORS = "label_errors.csv"


def finish(
    run: RunDirectory,
    options: FitOptions,
    workspace: Workspace,
    result: Result,
    evaluation: Evaluation,
    evidence: Evidence,
    *,
    recorded: bool,
) -> Run:
    """Write a run and close it.

    Args:
        run: the folder, claimed.
        options: for the card, the report and the next command.
        workspace: the plan with its features.
        result: the result.
        evaluation: its outputs for items that were not learned from.
        evidence: its scores and what they are compared with.
        recorded: whether it is added to the user's record of finished runs.
    """
    from headstart.report import end_block, render
    from headstart.report.pages.fit.notices import notices
    from headstart.report.pages.fit.summary import result_line
    from headstart.runs.training_statistics import save_statistics

    clock = workspace.clock
    with clock.phase("evaluate"):
        checked = check_labels(workspace, result, evaluation)
        decision = decision_of(workspace, result, evaluation)
        answers = None if decision is None else answers_of(workspace, evaluation)
        if workspace.plan.threshold is not None and decision is None:
            finding = missed(workspace, result)
            say(f"warning: {finding.message}")
            evaluation = replace(evaluation, findings=(*evaluation.findings, finding))
    with clock.phase("write"):
        run.write_predictions(_predictions(workspace, evaluation, answers))
        if checked is not None:
            run.write_text(LABEL_ERRORS, checked.to_csv())
        record = _record(str(options.data), workspace, result, evaluation, evidence, checked)
        if decision is not None:
            record = replace(record, extra={**record.extra, KEY: decision.to_json()})
        run.write_record(record)
    say(result_line(record, workspace.quality, with_program=options.export))
    what = "Exporting model.pt2 …" if options.export else "Writing the model …"
    with clock.phase("export"), waiting(what):
        returned, head = returned_by(workspace, result.final)
        threshold = None if decision is None else decision.threshold
        saved = save(run, returned, head, workspace.store, threshold, with_program=options.export)
        if (summary := summary_of(workspace, result.final)) is not None:
            save_statistics(run, summary)
        learned_items(workspace, result, evaluation).save(run)
        record = replace(
            record, extra={**record.extra, EXPORTED: options.export, DIGESTS: digests_of(run.path)}
        )
    record = _now(record, clock)
    with clock.phase("report"):
        facts = _facts(run, options, workspace, evaluation)
        shown = _report(facts, options, workspace, result, evaluation, record, checked, answers)
        if options.report:
            run.write_text("report.html", render(shown))
        facts = replace(facts, notices=tuple((notice.title, notice.text) for notice in notices(shown)))
    record = _now(record, clock)
    _write_card(run, facts, returned, saved, record)
    run.write_record(record)
    if result.trained is not None:
        run.write_jsonl("history.jsonl", result.trained.history)
    run.finish()
    if recorded:
        record_finished(workspace, record)
    return Run(run.path, record.to_json(), end_block(shown, has_report=options.report))


def _facts(run: RunDirectory, options: FitOptions, workspace: Workspace, evaluation: Evaluation) -> RunFacts:
    """What card and report say in addition to the record."""
    findings = (*workspace.plan.findings, *evaluation.findings)
    refitted = options.refit_all and options.folds is None
    return run_facts(run, workspace.plan.data, findings, refitted=refitted)


def _now(record: Record, clock: Clock) -> Record:
    """The record with the seconds and the memory used so far."""
    return replace(record, seconds=clock.seconds, peak_bytes=peak_bytes())


def _predictions(workspace: Workspace, evaluation: Evaluation, answers: np.ndarray | None) -> Predictions:
    from headstart.runs import Predictions

    positions = evaluation.positions
    return Predictions(
        items=workspace.plan.data.examples.names[positions].tolist(),
        classes=workspace.classes,
        probabilities=evaluation.probabilities,
        labels=workspace.labels[positions].tolist(),
        task=workspace.targets.task.name,
        answers=None if answers is None else answers.tolist(),
    )


def _record(
    data: str,
    workspace: Workspace,
    result: Result,
    evaluation: Evaluation,
    evidence: Evidence,
    checked: LabelCheck | None,
) -> Record:
    """The content of metrics.json."""
    from headstart.runs import DataFacts, Record, SourceFacts

    plan, trained = workspace.plan, result.trained
    return Record(
        source=SourceFacts.of(plan.source),
        data=DataFacts.of(plan.data, data),
        task=workspace.targets.task.name,
        n_train=result.n_train,
        n_validation=result.n_validation,
        n_test=len(evaluation.positions),
        test=evidence.test,
        baselines=evidence.baselines,
        verdict=evidence.verdict,
        chosen=chosen_in(result, tuple(plan.source.stages)),
        profile={row.stage: float(row.score) for row in result.choice.profile},
        verification=evidence.verification,
        best_epoch=None if trained is None else trained.best_epoch,
        n_folds=0 if evaluation.folds is None else len(np.unique(evaluation.folds)),
        seconds=workspace.clock.seconds,
        peak_bytes=peak_bytes(),
        extra=_extra(workspace, result, evaluation, evidence, checked),
    )


def _extra(
    workspace: Workspace,
    result: Result,
    evaluation: Evaluation,
    evidence: Evidence,
    checked: LabelCheck | None,
) -> dict[str, Any]:
    """What the choices are based on, as further entries of the record."""
    extra: dict[str, Any] = {
        "reason": result.reason if result.classical is None or result.guard is None else result.guard.reason,
        "stages": stage_rows(workspace.plan, result),
        "learned_from": dict(evidence.learned_from),
        "baseline_choice": evidence.baseline_choice.to_json(),
        "baselines_difference": {name: found.to_json() for name, found in evidence.differences.items()},
    }
    if workspace.plan.weights is not None:
        extra["weights"] = workspace.plan.weights.to_json(result.learned_from)
    if result.guard is not None:
        extra["guard"] = result.guard.to_json()
    if evaluation.folds is not None:
        extra[RETURNED_IN_FOLDS] = evaluation.returned_in_folds
    if result.foreseen is not None:
        extra["foreseen"] = result.foreseen.to_json()
    if result.choice.profile:
        extra["cross_validated"] = cross_validated(workspace, result.choice)
    if result.refit is not None:
        refit = asdict(chosen_in(result.refit, tuple(workspace.plan.source.stages)))
        extra["refit"] = {"n_train": result.refit.n_train, **refit, "reason": result.refit.reason}
    if result.trained is not None:
        extra.update(result.trained.evidence)
        extra["recipe"] = result.trained.recipe.model_dump(mode="json")
    if result.race is not None:
        extra["candidates"] = [candidate.to_json() for candidate in result.race.candidates]
    if evidence.calibration:
        extra["calibration"] = dict(evidence.calibration)
    if evidence.source_data:
        extra["source_data"] = dict(evidence.source_data)
    if evidence.verification_notes:
        extra["verification_trials"] = dict(evidence.verification_notes)
    if checked is not None:
        extra["label_errors"] = checked.to_json()
    return extra


def _report(
    facts: RunFacts,
    options: FitOptions,
    workspace: Workspace,
    result: Result,
    evaluation: Evaluation,
    record: Record,
    checked: LabelCheck | None,
    answers: np.ndarray | None,
) -> FitReport:
    """What the report and the end of the command show."""
    from headstart.data.items import take_items
    from headstart.report.pages.fit import FitReport, HeldOut
    from headstart.runs.label_check import N_LISTED

    examples, positions = workspace.plan.data.examples, evaluation.positions
    return FitReport(
        record=record,
        facts=facts,
        held_out=HeldOut(
            take_items(examples.items, positions),
            examples.names[positions].tolist(),
            workspace.labels[positions].tolist(),
            workspace.codes[positions],
            evaluation.probabilities,
            units_of(workspace, evaluation),
            answers,
        ),
        profile=result.choice.profile,
        shift=shift_of(workspace, result.choice, evaluation),
        candidates=() if result.race is None else result.race.candidates,
        history=() if result.trained is None else result.trained.history,
        after_training=after_training(result, again=facts.refitted),
        quality=workspace.quality,
        next_command="" if result.classical is not None else next_command(options),  # the source is not used
        checked=checked,
        views=picture_views(workspace, result) if options.report else (),
        suspects=() if checked is None else take_items(examples.items, checked.positions[:N_LISTED]),
    )


def after_training(result: Result, *, again: bool) -> str:
    """What was done with the weights that training kept, as a clause; "" if they were returned as they were."""
    race, trained = result.race, result.trained
    if again:
        return "the network was then trained again on all items"
    if race is not None and race.refitted:
        return "the network was then trained again on training and validation items together"
    if race is not None and race.averaged:
        return "an average of several trainings was returned"
    if trained is not None and trained.share is not None and trained.share < 1:
        return f"the weights returned lie {trained.share:.0%} of the way there from the start (WiSE-FT)"
    return ""


def _write_card(
    run: RunDirectory, facts: RunFacts, source: Source, saved: SavedModel, record: Record
) -> None:
    from headstart.runs.card import write_card

    write_card(run, record, facts, saved, source.preprocessing.to_json())
    run.write_json("environment.json", {**facts.environment, "command": facts.command})
    architecture = source.config.get("architecture_file")
    if architecture is not None:
        run.write_text("architecture.py", Path(str(architecture)).read_text(encoding="utf-8"))
