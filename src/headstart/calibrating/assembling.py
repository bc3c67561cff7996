"""Put together what a calibration found: scores before and after, their change, and what to know.

Legend: N items, C outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from headstart.calibrating.choosing import Candidate, Choice, cross_validated
from headstart.calibrating.items import KnownItems
from headstart.calibrating.opened import OpenedRun
from headstart.calibrating.options import CalibrateOptions
from headstart.calibrating.sentence import sentence
from headstart.data.findings import listed
from headstart.files import name_of
from headstart.fitting.labelled_items import LabelledItems, alike_names
from headstart.heads.correction import clipped_share
from headstart.heads.recalibrate import occurring
from headstart.metrics import Interval, Units
from headstart.report.words import number
from headstart.runs.calibration import CalibrationFacts, CandidateRow, Outcome
from headstart.units import UNITS, agreeing, counted

FEW = 100  # with fewer items a correction that was chosen by its scores looks much better than it is
LARGE = 10  # a temperature above it leaves little of what the run says
MUCH_CLIPPED = 0.01  # of the probabilities; above it a correction of them is not what was scored
_BALANCED = "balanced_accuracy"
_N_SHOWN = 6  # classes in a warning


def assemble(
    options: CalibrateOptions,
    opened: OpenedRun,
    items: LabelledItems,
    known: KnownItems,
    outputs_NC: NDArray[np.floating],
    choice: Choice,
) -> CalibrationFacts:
    """What was found.

    Args:
        options: of the calibration.
        opened: the run.
        items: that it has not learned from.
        known: those of classes that it knows.
        outputs_NC: what it gives for them.
        choice: the correction, if there is one.
    """
    task, chosen = known.targets.task, choice.chosen
    before = task.metrics(known.codes, outputs_NC, known.units)
    wider = cross_validated(known.units, choice.n_folds)
    after = {} if chosen is None else task.metrics(known.codes, chosen.outputs_NC, wider)
    outcome: Outcome = "corrected" if chosen is not None else "right" if choice.is_right else "undecided"
    kept, grouped = _kept(known, choice), known.data.examples.groups is not None
    name = name_of(str(options.data))
    return CalibrationFacts(
        run=str(options.run),
        outcome=outcome,
        sentence=sentence(name, outcome, choice, before, after, len(known), grouped=grouped),
        method="" if chosen is None else chosen.name,
        temperature=1.0 if chosen is None else chosen.correction.temperature,
        biases=_biases(chosen, known.targets.classes),
        kept=kept,
        candidates=tuple(_row(each, known) for each in choice.candidates),
        before=before,
        after=after,
        change=_changes(chosen, known, outputs_NC, wider),
        n_items=len(known),
        n_changed=_n_changed(chosen, known, outputs_NC),
        n_folds=choice.n_folds,
        n_learned=items.n_learned,
        n_shared=items.n_shared,
        unknown=known.unknown,
        warnings=tuple(_warnings(items, known, chosen, outputs_NC)),
        notes=(*_balance(before, after), *_notes(opened, known, kept, is_corrected=chosen is not None)),
    )


def _row(candidate: Candidate, known: KnownItems) -> CandidateRow:
    log_loss = float(known.targets.task.item_losses(candidate.outputs_NC, known.codes).mean())
    return CandidateRow(candidate.name, candidate.correction.temperature, log_loss, candidate.change)


def _biases(chosen: Candidate | None, classes: tuple[str, ...]) -> dict[str, float]:
    if chosen is None or not chosen.has_biases:
        return {}
    return dict(zip(classes, chosen.correction.bias_C.tolist(), strict=True))


def _kept(known: KnownItems, choice: Choice) -> tuple[str, ...]:
    """Classes or labels whose bias the items say nothing about; none if no bias was fitted."""
    if choice.chosen is None or not choice.chosen.has_biases:
        return ()
    says = occurring(known.targets.task, known.codes, known.targets.n_outputs)
    return tuple(name for name, fitted in zip(known.targets.classes, says, strict=True) if not fitted)


def _changes(
    chosen: Candidate | None, known: KnownItems, outputs_NC: NDArray[np.floating], units: Units
) -> dict[str, Interval]:
    """The paired change of the log loss, and of the accuracy of classes; `units` are those of a cross-validation."""
    if chosen is None:
        return {}
    task = known.targets.task
    found = {"log_loss": chosen.change}
    if task.one_per_item:
        found[task.verdict_metric] = task.difference(known.codes, chosen.outputs_NC, outputs_NC, units)
    return found


def _n_changed(chosen: Candidate | None, known: KnownItems, outputs_NC: NDArray[np.floating]) -> int:
    if chosen is None:
        return 0
    answers = (known.targets.decode(each) for each in (outputs_NC, chosen.outputs_NC))
    return sum(old != new for old, new in zip(*answers, strict=True))


def _warnings(
    items: LabelledItems, known: KnownItems, chosen: Candidate | None, outputs_NC: NDArray[np.floating]
) -> Iterator[str]:
    units = UNITS[known.data.examples.modality]
    if chosen is not None and chosen.correction.temperature > LARGE:
        yield (
            f"A temperature of {chosen.correction.temperature:.2g} makes the run unsure of nearly everything: it says "
            "little about these items. Check their labels; more of them and a new fit are likely to be better."
        )
    share = clipped_share(known.targets.task, outputs_NC)
    if chosen is not None and share > MUCH_CLIPPED:
        yield (
            f"{100 * share:.2g}% of the probabilities are 0 or 1 as far as a 32-bit number tells. How sure the run is "
            "there is not known, so the new run may give other probabilities there than the ones that were scored: "
            "score it with headstart evaluate on other items."
        )
    if known.unknown:
        yield _unknown(known, units)
    if items.n_learned is None:
        yield (
            "Whether the run has learned from some of these items is not known: it was made before runs kept that. On "
            "items that it has learned from it is too sure, so that a correction of these is wrong for others."
        )
    if items.n_learned:
        are, them = agreeing(items.n_learned, "is", "are"), agreeing(items.n_learned, "it", "them")
        yield f"{counted(items.n_learned, units)} {are} left out: the run has learned from {them}."


def _unknown(known: KnownItems, units: str) -> str:
    words, counts = known.targets.task.words.outputs, known.unknown
    named = listed((f"'{name}' ({n:,})" for name, n in counts.items()), _N_SHOWN)
    text = f"The run does not know {counted(len(counts), words)} of the data: {named}. "
    if known.targets.task.many_per_item:
        text += f"{agreeing(len(counts), 'It is', 'They are')} left out."
    else:
        n_items = sum(counts.values())
        text += f"{counted(n_items, units)} {agreeing(n_items, 'is', 'are')} left out."
    alike = alike_names(counts, known.targets.classes)
    return f"{text} {alike}." if alike else text


def _balance(before: Mapping[str, Interval], after: Mapping[str, Interval]) -> Iterator[str]:
    """That rarer classes are answered less often, if the mean over the classes falls by a point or more."""
    old, new = (each[_BALANCED].value if _BALANCED in each else None for each in (before, after))
    if old is not None and new is not None and new < old - 0.01:
        yield (
            f"Balanced accuracy falls from {number(old, _BALANCED)} to {number(new, _BALANCED)}: the new run follows "
            "the shares of the classes of these items. If every class counts the same for you, keep the run as it was."
        )


def _notes(
    opened: OpenedRun, known: KnownItems, kept: tuple[str, ...], *, is_corrected: bool
) -> Iterator[str]:
    if is_corrected and len(known) < FEW:
        yield (
            f"The scores after the correction are too good, as it was made because it looked good on "
            f"{counted(len(known), 'items')}: score the new run with headstart evaluate on other items."
        )
    if kept:
        words, task = known.targets.task.words.outputs, known.targets.task
        why = "none or all items have" if task.many_per_item else "no item has"
        odds = "" if task.many_per_item else " Its odds against the others stay as they were on average."
        if len(kept) > 1:
            odds = odds.replace("Its", "Their")
        yield (
            f"The bias of {counted(len(kept), words)} that {why} stays as it was: "
            f"{listed([repr(name) for name in kept], _N_SHOWN)}.{odds}"
        )
    if opened.record.kind == "calibrate":
        yield "The run was calibrated before: this correction is on top of that one."
