"""Write the calibrated run: its model in every form, cross-validated predictions, calibration.csv, report and card."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.calibrating.checking import difference_from
from headstart.calibrating.choosing import Candidate, cross_validated
from headstart.calibrating.items import KnownItems
from headstart.calibrating.opened import OpenedRun
from headstart.calibrating.options import CalibrateOptions
from headstart.calibrating.result import Calibration, rows
from headstart.calibrating.threshold import chosen_again, note_on
from headstart.clock import Clock, peak_bytes
from headstart.data.in_memory_data import place_of
from headstart.data.items import take_items
from headstart.files import name_of
from headstart.fitting import reported_run
from headstart.fitting.facts import run_facts, shown
from headstart.fitting.returned import save as save_model
from headstart.progress import waiting
from headstart.run_files import DIGESTS, digests_of
from headstart.runs.calibration import RECALIBRATION, CalibrationFacts
from headstart.runs.decision import KEY
from headstart.runs.run import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from headstart.report.pages.calibrate import CalibrateReport
    from headstart.runs import Predictions, Record, RunDirectory, RunFacts
    from headstart.runs.learned_items import LearnedItems
    from headstart.sources import Source
    from headstart.tasks.threshold import Threshold

TABLE = "calibration.csv"


def without_run(facts: CalibrationFacts) -> Calibration:
    """The result where no correction is made: nothing is written.

    Args:
        facts: what was found.
    """
    from headstart.report.pages.calibrate.summary import summary_of

    return Calibration(None, {RECALIBRATION: facts.to_json()}, summary_of(facts), facts)


def save(
    options: CalibrateOptions,
    opened: OpenedRun,
    source: Source,
    known: KnownItems,
    outputs_NC: NDArray[np.floating],
    chosen: Candidate,
    facts: CalibrationFacts,
    clock: Clock,
) -> Calibration:
    """Write the new run.

    Args:
        options: of the calibration.
        opened: the run that was calibrated.
        source: its network.
        known: the items that the correction was fitted to.
        outputs_NC: what the run gives for them.
        chosen: the correction.
        facts: what was found.
        clock: the seconds of the phases.
    """
    from headstart.features import Store
    from headstart.runs.card import write_card

    run = reported_run.claim(options, f"for-{name_of(place_of(options.data))}", of=options.run)
    try:
        reported_run.write_configuration(run, options, "calibrate")
        with clock.phase("export"), waiting("Exporting model.pt2 …"):
            head = chosen.correction.folded_into(opened.head)
            decision = chosen_again(opened.decision, known, chosen.outputs_NC)
            threshold = None if decision is None else decision.threshold
            saved = save_model(run, source, head, Store(options.store), threshold)
            found = difference_from(run, opened.model, chosen.correction, known, outputs_NC, options.threads)
        about_threshold = note_on(opened.decision, decision, opened.model.threshold)
        facts = replace(facts, difference=found, notes=(*facts.notes, *about_threshold))
        run.write_predictions(_predictions(known, chosen, threshold))
        learned = _learned_items(opened, known)
        if learned is not None:
            learned.save(run)
        record = _record(run, options, opened, known, facts, clock)
        if decision is not None:
            record = replace(record, extra={**record.extra, KEY: decision.to_json()})
        about = _about(run, known)
        write_card(run, record, about, saved, source.preprocessing.to_json())
        page = _page(record, about, known, outputs_NC, chosen, facts, next_command(run))
        with waiting("Writing the report …"):
            summary = reported_run.finish(run, page, TABLE, rows(facts), report=options.report)
        return Calibration(Run(run.path, record.to_json(), summary), record.to_json(), summary, facts)
    except BaseException as error:
        reported_run.remove_half(run, error)
        raise
    finally:
        run.release()


def next_command(run: RunDirectory) -> str:
    """The command to run next: predictions with the new run."""
    return f"headstart predict {shlex.quote(str(shown(run)))} NEW_ITEMS"


def _predictions(known: KnownItems, chosen: Candidate, threshold: Threshold | None) -> Predictions:
    from headstart.runs import Predictions

    examples = known.data.examples
    return Predictions(
        examples.names.tolist(),
        known.targets.classes,
        chosen.outputs_NC,
        known.labels,
        task=known.targets.task.name,
        answers=None if threshold is None else threshold.answers(chosen.outputs_NC, known.targets).tolist(),
        given={name: values.tolist() for name, values in examples.other_columns.items()},
    )


def _learned_items(opened: OpenedRun, known: KnownItems) -> LearnedItems | None:
    """The items of the old run and the new ones; None for a run that does not say what it has learned from."""
    from headstart.runs.learned_items import LearnedItems, item_hashes

    kept = LearnedItems.load(opened.folder)
    if kept is None:
        return None
    learned = np.union1d(kept.learned, item_hashes(known.data))
    return LearnedItems(learned, np.setdiff1d(kept.seen, learned))


def _record(
    run: RunDirectory,
    options: CalibrateOptions,
    opened: OpenedRun,
    known: KnownItems,
    facts: CalibrationFacts,
    clock: Clock,
) -> Record:
    from headstart.runs import DataFacts, Record

    old = opened.record
    return Record(
        kind="calibrate",
        source=old.source,
        data=replace(DataFacts.of(known.data, str(options.data)), n_classes=known.targets.n_outputs),
        task=known.targets.task.name,
        n_train=old.extra.get("refit", {}).get("n_train") or old.n_train,
        n_test=len(known),
        test=facts.after,
        baselines={"not_calibrated": facts.before},
        chosen=old.chosen,
        seconds=clock.seconds,
        peak_bytes=peak_bytes(),
        extra={RECALIBRATION: facts.to_json(), DIGESTS: digests_of(run.path)},
    )


def _about(run: RunDirectory, known: KnownItems) -> RunFacts:
    about = run_facts(run, known.data, known.data.findings)
    origin = "The correction is fitted to these items; the run has not learned anything else from them."
    return replace(about, classes=known.targets.classes, split_origin=origin)


def _page(
    record: Record,
    about: RunFacts,
    known: KnownItems,
    outputs_NC: NDArray[np.floating],
    chosen: Candidate,
    facts: CalibrationFacts,
    next_command: str,
) -> CalibrateReport:
    from headstart.report.items.report import HeldOut
    from headstart.report.pages.calibrate import CalibrateReport

    examples = known.data.examples
    held_out = HeldOut(
        take_items(examples.items, np.arange(len(examples))),
        examples.names.tolist(),
        known.labels,
        known.codes,
        chosen.outputs_NC,
        cross_validated(known.units, facts.n_folds),
    )
    return CalibrateReport(
        record, about, held_out, found=facts, before_NC=outputs_NC, next_command=next_command
    )
