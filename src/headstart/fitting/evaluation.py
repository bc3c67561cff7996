"""Learn, and measure the result on items that were not learned from: the held-out part once, or every fold in turn.

Legend: N items, C classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from headstart.fitting import head_alone
from headstart.fitting.guarding import again
from headstart.fitting.learnable import evaluation_folds
from headstart.fitting.learning import NOT_COMPARED, AgainstClassical, learn
from headstart.fitting.race import Scratch, scratch_of, transferred_outputs
from headstart.fitting.result import Result
from headstart.fitting.threshold import chosen_threshold
from headstart.fitting.training import trained_on_all
from headstart.fitting.workspace import Workspace
from headstart.progress import progress, say

if TYPE_CHECKING:
    from headstart.data import Finding
    from headstart.features import Features
    from headstart.tasks.threshold import Threshold

Returned = Literal["pretrained", "classical", "scratch"]


@dataclass(frozen=True, eq=False)
class Round:
    """One result, and the held-out items that it was measured on.

    Attributes:
        learned_from: positions of the items that the result and its head alone were learned from.
        rows: rows of the evaluation that hold its outputs.
        temperature: what its scores were divided by.
        log_probabilities: whether its scores are log probabilities before the temperature too (`HeadKind`).
        features: of every item of the data, by the source without training.
        returned: what took the place of the best result from pretrained weights: `classical` or `scratch`; else
            `pretrained`.
        threshold: by which the result answers; None: the usual way.
    """

    learned_from: np.ndarray
    rows: np.ndarray
    temperature: float
    log_probabilities: bool
    features: Features
    returned: Returned = "pretrained"
    threshold: Threshold | None = None

    @classmethod
    def of(cls, workspace: Workspace, result: Result, rows: np.ndarray) -> Round:
        """The round of a result.

        Args:
            workspace: that the result was learned in.
            result: measured.
            rows: of the evaluation.
        """
        if result.classical is not None:
            model = result.classical.model
            temperature, is_log = model.temperature, model.log_probabilities
        else:
            temperature, is_log = result.head.temperature, result.gives_log_probabilities
        return cls(
            result.learned_from,
            rows,
            temperature,
            is_log,
            workspace.features,
            _kind_returned(result),
            chosen_threshold(workspace, result),
        )


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Outputs for items that were not learned from.

    Attributes:
        positions: of these items in the data, of shape (n_items,).
        scores: of the result, before the temperature, of shape (n_items, C).
        probabilities: of the result, of shape (n_items, C); its values for a quantity.
        head_alone: of the head alone, learned from the same items.
        rounds: one, or one per fold.
        folds: fold of each item if the whole procedure was cross-validated, else None.
        scratch: the same network from scratch, if a race trained it to its end.
        findings: recordings that were cut to the window of their fold.
        transferred: of the best result from pretrained weights, if the network from scratch or classical features were
            returned; learned from the same items as these.
    """

    positions: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    head_alone: np.ndarray
    rounds: Sequence[Round]
    folds: np.ndarray | None = None
    scratch: Scratch | None = None
    findings: Sequence[Finding] = ()
    transferred: np.ndarray | None = None

    @property
    def temperatures(self) -> np.ndarray:
        """What the scores of each item were divided by, of shape (n_items,)."""
        temperatures = np.ones(len(self.positions))
        for each in self.rounds:
            temperatures[each.rows] = each.temperature
        return temperatures

    @property
    def returned_in_folds(self) -> dict[str, int]:
        """In how many folds each of `Returned` was returned; empty without folds."""
        if self.folds is None:
            return {}
        return dict(Counter(each.returned for each in self.rounds))


def learn_and_evaluate(
    workspace: Workspace,
    folder: Path,
    resume: bool,
    *,
    n_folds: int | None = None,
    refit_all: bool = False,
    against: AgainstClassical = NOT_COMPARED,
) -> tuple[Result, Evaluation]:
    """Learn from the training part and predict the held-out one; or cross-validate, then learn from all.

    Args:
        workspace: the plan with its features.
        folder: for checkpoints.
        resume: resume from checkpoints there.
        n_folds: folds of the cross-validation; None: the held-out part is predicted.
        refit_all: learn from every item after the evaluation; the result has it as `refit`.
        against: what is compared with classical features.
    """
    data = workspace.plan.data
    train, validation, test = (data.positions(part) for part in ("train", "validation", "test"))
    if n_folds is not None:
        evaluation = _cross_validate(workspace, train, n_folds, folder, resume, against)
        final = learn(workspace, train, validation, folder, resume, replace(against, warns=False))
        _say_guard(final)
        return final, evaluation
    result = learn(workspace, train, validation, folder, resume, against)
    _say_guard(result)
    scores, only = scores_of(workspace, result, test), Round.of(workspace, result, np.arange(len(test)))
    evaluation = Evaluation(
        test,
        scores,
        workspace.targets.task.activated(scores, only.temperature),
        head_alone.outputs(workspace, result.choice, test),
        [only],
        scratch=scratch_of(workspace, result, test),
        transferred=_transferred(workspace, result, test),
    )
    if refit_all:
        refit = _refitted(workspace, result, np.arange(len(data)), folder / "on-all", resume)
        result = replace(result, refit=refit)
    return result, evaluation


def _kind_returned(result: Result) -> Returned:
    if result.classical is not None:
        return "classical"
    from_scratch = result.race is not None and result.race.starts_from_scratch
    return "scratch" if from_scratch else "pretrained"


def _say_guard(result: Result) -> None:
    if result.guard is not None:
        say(result.guard.reason)


def scores_of(workspace: Workspace, result: Result, positions: np.ndarray) -> np.ndarray:
    """Scores of items by what is returned, before the temperature, of shape (n_items, C)."""
    if result.classical is not None:
        with workspace.clock.phase("baseline"):
            return workspace.classical.scores(result.classical, positions)
    if result.is_trained:
        with workspace.clock.phase("evaluate"):
            features = workspace.features_by(result.source, positions)
    else:
        features = workspace.features.take(positions)
    return result.head.logits(features.stacked(result.head.stages))


def _transferred(workspace: Workspace, result: Result, positions: np.ndarray) -> np.ndarray | None:
    """Outputs of the best result from pretrained weights, of shape (n_items, C), if another one was returned."""
    found = transferred_outputs(workspace, result, positions)
    if found is not None or result.classical is None:
        return found
    scores = scores_of(workspace, replace(result, guard=None), positions)
    return workspace.targets.task.activated(scores, result.head.temperature)


def _cross_validate(
    workspace: Workspace,
    items: np.ndarray,
    n_folds: int,
    folder: Path,
    resume: bool,
    against: AgainstClassical,
) -> Evaluation:
    folds = evaluation_folds(workspace.plan, items, n_folds).numbers
    scores = np.zeros((len(items), len(workspace.classes)), workspace.targets.task.dtype)
    alone = np.zeros_like(scores)
    rounds: list[Round] = []
    findings: list[Finding] = []
    others: list[tuple[np.ndarray, np.ndarray | None]] = []
    numbers = np.unique(folds)
    with progress("Cross-validating", total=len(numbers), unit="folds") as advance:
        for fold in numbers.tolist():
            inside, rows = items[folds != fold], np.flatnonzero(folds == fold)
            outside, own = items[rows], workspace.in_window_of(inside)
            here = against if not rounds else replace(against, foresees=False)  # one warning is enough
            result = learn(own, inside, outside[:0], folder / f"fold-{fold + 1}", resume, here)
            scores[rows] = scores_of(own, result, outside)
            alone[rows] = head_alone.outputs(own, result.choice, outside)
            rounds.append(Round.of(own, result, rows))
            findings += _cut_in(own, outside) if own is not workspace else []
            others.append((rows, _transferred(own, result, outside)))
            advance(1)
    probabilities = np.zeros_like(scores)
    for each in rounds:
        probabilities[each.rows] = workspace.targets.task.activated(scores[each.rows], each.temperature)
    transferred = _with_transfer(probabilities, others)
    return Evaluation(
        items, scores, probabilities, alone, rounds, folds, findings=findings, transferred=transferred
    )


def _with_transfer(
    probabilities: np.ndarray, others: Sequence[tuple[np.ndarray, np.ndarray | None]]
) -> np.ndarray | None:
    """The outputs, of the best transferred result in folds where another one was returned; None if in none."""
    if all(found is None for _, found in others):
        return None
    transferred = probabilities.copy()
    for rows, found in others:
        transferred[rows] = transferred[rows] if found is None else found
    return transferred


def _cut_in(workspace: Workspace, held_out: np.ndarray) -> list[Finding]:
    """Held-out recordings of a fold that are longer than its window, which are printed too."""
    from headstart.data import check_lengths

    plan, splits = workspace.plan, np.full(len(workspace.plan.data), "train", dtype=object)
    splits[held_out] = "test"
    examples = replace(plan.data.examples, splits=splits)
    found = check_lengths(examples, plan.data.scan, plan.source.preprocessing)
    cut = [finding for finding in found if finding.kind == "cut" and finding not in plan.findings]
    for finding in cut:
        say(f"{finding.severity}: {finding.message}")
    return cut


def _refitted(
    workspace: Workspace, result: Result, everything: np.ndarray, folder: Path, resume: bool
) -> Result:
    """The result that was evaluated, learned again from every label.

    Its reason says what the head alone was chosen by, or that an average is not made again.
    """
    if result.classical is not None:
        refit = again(workspace, result, everything)
        reason = "" if refit.guard is None else refit.guard.reason
    elif result.is_trained:
        reason = "Without the average." if result.race is not None and result.race.averaged else ""
        refit = trained_on_all(workspace, result, everything, folder, resume)
    else:
        choice = head_alone.choose(workspace, everything)
        refit, reason = replace(result, head=choice.head, choice=choice), choice.reason
    return replace(refit, learned_from=everything, n_validation=0, reason=reason)
