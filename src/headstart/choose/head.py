"""The depth profile and the default head, chosen on training items only.

1. A ridge probe at every stage, cross-validated with groups kept together: the profile.
2. Heads on the most promising stages, the last stage and several stages together, cross-validated on the
   same folds.
3. The last stage is the source's own output and moves best to data that differ from the training items, so
   it is kept unless another head is better by more than a standard error.
4. The chosen head is fitted on all training items; its temperature comes from its out-of-fold logits.

Example:
    >>> import numpy as np
    >>> from headstart.choose import ArrayFeatures, choose_head
    >>> rng = np.random.default_rng(0)
    >>> y = np.array(["a", "b"] * 30)
    >>> x = rng.normal(size=(60, 5)).astype("float32"); x[:, 0] += 4 * (y == "b")
    >>> choice = choose_head(ArrayFeatures(("block", "last"), (x, 0 * x)), y, None)
    >>> choice.stages
    ('block',)
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headstart.choose.candidates import (
    Candidate,
    ProfileRow,
    Task,
    logistic_candidate,
    ridge_candidate,
)
from headstart.choose.features import StageFeatures, stacked
from headstart.data.examples import natural_order
from headstart.data.splits import fold_indices
from headstart.errors import DataError
from headstart.heads.linear import LinearHead, softmax
from headstart.heads.logistic import fit_logistic
from headstart.heads.reduce import Reduced, reduce, standardiser
from headstart.heads.ridge import fit_ridge, indicators
from headstart.heads.threads import parallel_map, single_threaded

N_SINGLE = 2  # single stages tried beside the last
MAX_STACKED_ITEMS = 2000


@dataclass(frozen=True, eq=False)
class Choice:
    """The chosen head with what it was chosen from.

    Attributes:
        head: fitted on all training items.
        profile: one row a stage.
        candidates: the heads that were tried.
        chosen: the one taken.
        stages: names of the stages it reads.
        out_of_fold: its cross-validated probabilities, of shape (N, C), calibrated.
        folds: fold of each item, of shape (N,).
        reason: why, in one sentence.
    """

    head: LinearHead
    profile: list[ProfileRow]
    candidates: list[Candidate]
    chosen: Candidate
    stages: tuple[str, ...]
    out_of_fold: NDArray[np.float32] = field(repr=False)
    folds: NDArray[np.integer] = field(repr=False)
    reason: str

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the columns."""
        return self.head.classes

    @property
    def n_folds(self) -> int:
        """The number of folds used."""
        return len(np.unique(self.folds))


def choose_head(
    features: StageFeatures,
    labels: NDArray[np.object_],
    groups: NDArray[np.object_] | None = None,
    *,
    n_folds: int = 5,
    seed: int = 0,
    classes: tuple[str, ...] | None = None,
    n_threads: int | None = None,
) -> Choice:
    """Profile the depths, choose a head by cross-validation, fit it on all items.

    Args:
        features: of N training items, at every stage.
        labels: class of each item, of shape (N,).
        groups: group of each item, of shape (N,), kept together in folds; None: none.
        n_folds: folds at most.
        seed: of the folds.
        classes: order of the classes; None: natural order of those that occur.
        n_threads: stages worked on at once; None: as many as cores.

    Raises:
        DataError: a stage's features are not finite, lengths differ, or there are fewer than two classes.
    """
    task, names = _task(features, labels, groups, n_folds, seed, classes)

    def probe(index: int) -> tuple[Reduced, Candidate]:
        x_ND = features.stage(index)
        reduced = reduce(x_ND, standardiser(x_ND, name=f"stage {features.stages[index]}"))
        return reduced, ridge_candidate(reduced, task, (index,))

    probed = parallel_map(probe, range(len(features.stages)), n_threads)
    profile = [_row(features.stages[i], i, candidate) for i, (_, candidate) in enumerate(probed)]
    last = len(profile) - 1
    order = sorted(range(last), key=lambda i: -profile[i].score)
    picked: list[tuple[int, ...]] = [(last,), *((i,) for i in order[:N_SINGLE])]
    if last > 0 and features.n_items <= MAX_STACKED_ITEMS:
        picked.append(tuple(range(last + 1)))

    def score(stages: tuple[int, ...]) -> Candidate:
        reduced = probed[stages[0]][0] if len(stages) == 1 else _reduced(features, stages)
        return logistic_candidate(reduced, task, stages)

    candidates = parallel_map(score, picked, n_threads)
    chosen, reason = _preferred(candidates, features.stages)
    with single_threaded():
        reduced = probed[chosen.stages[0]][0] if len(chosen.stages) == 1 else _reduced(features, chosen.stages)
        head = _fitted(chosen, reduced, task, names)
    return Choice(
        head=head,
        profile=profile,
        candidates=candidates,
        chosen=chosen,
        stages=tuple(features.stages[i] for i in chosen.stages),
        out_of_fold=softmax(chosen.logits / chosen.temperature),
        folds=task.folds,
        reason=reason,
    )


def _task(
    features: StageFeatures,
    labels: NDArray[np.object_],
    groups: NDArray[np.object_] | None,
    n_folds: int,
    seed: int,
    classes: tuple[str, ...] | None,
) -> tuple[Task, tuple[str, ...]]:
    """Number the classes and lay the folds."""
    names = classes or natural_order(str(label) for label in labels)
    if len(labels) != features.n_items:
        raise DataError(f"There are {features.n_items} items and {len(labels)} labels; they must be as many.")
    if len(set(map(str, labels))) < 2:
        raise DataError(
            f"All {len(labels)} training items have the class {str(labels[0])!r}; "
            "a classifier needs items of at least two classes."
        )
    number = {name: i for i, name in enumerate(names)}
    missing = sorted({str(label) for label in labels} - set(names))
    if missing:
        raise DataError(f"The label {missing[0]!r} is not among the {len(names)} classes given.")
    codes = np.array([number[str(label)] for label in labels], dtype=np.intp)
    folds = fold_indices(np.asarray(labels), groups, n_folds, seed)
    return Task(codes, len(names), folds, groups), names


def _row(stage: str, index: int, candidate: Candidate) -> ProfileRow:
    """Return the profile row of a probe; its interval is normal, cut to [0, 1]."""
    error = candidate.standard_error if np.isfinite(candidate.standard_error) else 0.0
    score = candidate.accuracy
    low, high = max(0.0, score - 1.96 * error), min(1.0, score + 1.96 * error)
    return ProfileRow(stage, index, score, low, high, error, candidate.penalty)


def _reduced(features: StageFeatures, stages: tuple[int, ...]) -> Reduced:
    """Return the rotated features of several stages side by side."""
    x_ND = stacked(features, stages)
    return reduce(x_ND, standardiser(x_ND, name="the stages together"))


def _preferred(candidates: list[Candidate], names: tuple[str, ...]) -> tuple[Candidate, str]:
    """Return the candidate to use (the first is the last stage) and why."""
    last = candidates[0]
    best = max(candidates, key=lambda c: (c.accuracy, -c.log_loss))
    where = " + ".join(names[i] for i in best.stages) if len(best.stages) <= 2 else "all stages together"
    if best is last:
        return last, f"The last stage has the best cross-validated accuracy ({last.accuracy:.3f})."
    if best.accuracy - last.accuracy <= best.standard_error:
        return last, (
            f"The last stage ({last.accuracy:.3f}) is within one standard error of the best, "
            f"{where} ({best.accuracy:.3f})."
        )
    return best, (
        f"{where} has a cross-validated accuracy of {best.accuracy:.3f}, "
        f"more than a standard error above the last stage ({last.accuracy:.3f})."
    )


def _fitted(chosen: Candidate, reduced: Reduced, task: Task, names: tuple[str, ...]) -> LinearHead:
    """Fit the chosen head on all items."""
    if chosen.kind == "ridge":
        total = float(reduced.variance.sum()) * len(reduced.z)
        weight, bias = fit_ridge(reduced.z, indicators(task.codes, task.n_classes), chosen.penalty * total)
        weight, bias = weight.astype(np.float32), bias.astype(np.float32)
    else:
        weight, bias = fit_logistic(reduced.z, task.codes, task.n_classes, chosen.penalty)
    return LinearHead(
        stages=chosen.stages,
        mean=reduced.standardiser.mean,
        scale=reduced.standardiser.scale,
        weight=reduced.weights(weight),
        bias=np.asarray(bias, dtype=np.float32),
        temperature=chosen.temperature,
        classes=names,
    )
