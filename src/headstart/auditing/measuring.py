"""How each method of an audit learns from a draw of training items, and what it then gives for the held-out items.

Legend: N held-out items, C classes.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.auditing.cells import Cell
from headstart.clock import Clock
from headstart.errors import HeadstartError, one_line
from headstart.evidence import (
    extract_classical,
    fit_classical,
    items_to_learn_from,
    majority,
    majority_on_folds,
)
from headstart.evidence.over_seeds import item_values
from headstart.fitting import head_alone
from headstart.fitting.learning import learn
from headstart.fitting.workspace import Workspace
from headstart.runs.audit import Role

if TYPE_CHECKING:
    from headstart.data import DataSet

Measure = Callable[[np.ndarray, int], Cell]


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        name: in tables; for a source, how the user named it.
        role: what it is.
        item_seconds: to extract the features of one item.
        given: what it is given, in words.
    """

    name: str
    role: Role
    item_seconds: float
    given: str


@dataclass(frozen=True, eq=False)
class Learner:
    """A method, and how it learns.

    Attributes:
        method: the method.
        measure: learns from positions of training items with a random seed.
        at_once: whether several draws may be learned from at once, one thread each.
    """

    method: Method
    measure: Measure
    at_once: bool = True


def on_source(workspace: Workspace, name: str, role: Role, item_seconds: float) -> Learner:
    """The head alone on a source, or what the plan's policy trains, if that is another.

    Args:
        workspace: a plan with its features.
        name: how the user named the source.
        role: "transfer", "source" or "random".
        item_seconds: to extract the features of one item.
    """
    policy = workspace.plan.policy
    trains = policy.cut != len(policy.stages)
    held_out = workspace.plan.data.positions("test")

    def measure(train: np.ndarray, seed: int) -> Cell:
        started = time.perf_counter()
        own = with_seed(workspace, seed)
        if trains:
            result = learn(own, train, train[:0], None, False)
            features = own.features_by(result.source, held_out)
            outputs, choice = result.head.outputs(features.stacked(result.head.stages)), result.choice
        else:
            choice = head_alone.choose(own, train)
            outputs = head_alone.outputs(own, choice, held_out)
        n_judged = len(choice.positions)
        return cell_of(
            own.plan.data, outputs, train, choice.expected if n_judged else None, n_judged, started
        )

    what = "a head on its stored features" if not trains else f"--freeze {policy.text}"
    if role == "random":
        what = "the same network with random weights, untrained: a head on its features"
    return Learner(Method(name, role, item_seconds, what), or_why_not(measure), at_once=not trains)


def on_classical(data: DataSet, threads: int) -> Learner:
    """Classical features with a linear head.

    Args:
        data: the data set.
        threads: that extract features.
    """
    examples = data.examples
    started = time.perf_counter()
    features = extract_classical(examples.items, examples.modality, threads=threads)
    item_seconds = (time.perf_counter() - started) / len(examples)
    held_out, labels = data.positions("test"), np.asarray(data.labels)

    def measure(train: np.ndarray, seed: int) -> Cell:
        started = time.perf_counter()
        targets = examples.targets
        used = items_to_learn_from(train, seed)
        units = None if data.units is None else data.units[used]
        model = fit_classical(
            features, used, labels[used], units, classes=targets.classes, task=targets.task, seed=seed
        )
        outputs, left_out = model.probabilities(features, held_out), model.out_of_fold
        on_folds = left_out.mean_quality(np.asarray(data.codes)[used], targets.task)
        return cell_of(data, outputs, used, on_folds, len(left_out.rows), started)

    method = Method("classical", "classical", item_seconds, "classical features, a linear head")
    return Learner(method, or_why_not(measure))


def on_majority(data: DataSet) -> Learner:
    """The best constant answer.

    Args:
        data: the data set.
    """
    task, codes = data.examples.task, np.asarray(data.codes)
    held_out, n_outputs = data.positions("test"), data.examples.targets.n_outputs

    def measure(train: np.ndarray, seed: int) -> Cell:
        started = time.perf_counter()
        outputs = majority(codes[train], n_outputs, len(held_out), task)
        units = None if data.units is None else data.units[train]
        left_out = majority_on_folds(codes[train], units, n_outputs, task, seed)
        on_folds = left_out.mean_quality(codes[train], task)
        return cell_of(data, outputs, train, on_folds, len(train), started)

    return Learner(Method("majority", "majority", 0.0, task.words.constant[1]), or_why_not(measure))


def with_seed(workspace: Workspace, seed: int) -> Workspace:
    """A workspace with another random seed and the same features; its time is not counted, as several learn at once.

    Args:
        workspace: a plan with its features.
        seed: random seed of folds and trainings.
    """
    own = copy.copy(workspace)
    own.plan, own.clock = replace(workspace.plan, seed=seed), Clock()
    return own


def cell_of(
    data: DataSet,
    outputs_NC: np.ndarray,
    train: np.ndarray,
    on_folds: float | None,
    n_judged: int,
    started: float,
    given: str = "",
) -> Cell:
    """What outputs for the held-out items are worth.

    Args:
        data: the data set.
        outputs_NC: probabilities or values of the held-out items.
        train: positions of the items that were learned from.
        on_folds: quality on training items left out; None if it is not known.
        n_judged: number of these.
        started: when the learning began, by `time.perf_counter`.
        given: what the method was given, if that differs from cell to cell.
    """
    seconds = time.perf_counter() - started
    codes: Any = np.asarray(data.codes)[data.positions("test")]
    values = item_values(data.examples.task, outputs_NC, codes).astype(np.float32)
    return Cell(len(train), values, on_folds, seconds, n_judged, given=given)


def or_why_not(measure: Measure) -> Measure:
    """The same, with a cell that says why if nothing can be learned from the items.

    Args:
        measure: learns from positions of training items with a random seed.
    """

    def tried(train: np.ndarray, seed: int) -> Cell:
        started = time.perf_counter()
        try:
            return measure(train, seed)
        except HeadstartError as error:
            return Cell(len(train), None, None, time.perf_counter() - started, why=one_line(error))

    return tried
