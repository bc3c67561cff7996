"""The depth profile and the default head, chosen on training items only.

1. A ridge probe at every stage, cross-validated with groups kept together: the profile.
2. Heads on the most promising stages, the last stage and several stages together, cross-validated on the
   same folds.
3. The last stage is the source's own output and moves best to data that differ from the training items, so
   it is kept unless another head is better by more than two standard errors of the paired difference.
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

from headstart.choose.candidates import Candidate, Task, best_candidate, ridge_candidate
from headstart.choose.features import StageFeatures, rows_of
from headstart.choose.fitting import fit_head, fit_head_streamed
from headstart.data.examples import natural_order
from headstart.data.splits import fold_indices
from headstart.errors import DataError
from headstart.evidence.intervals import standard_error
from headstart.heads.linear import LinearHead, softmax
from headstart.heads.reduce import Reduced, combine, reduce, standardiser
from headstart.heads.threads import parallel_map, single_threaded

N_ERRORS = 2.0  # by how many standard errors a head must beat that on the last stage
N_SINGLE = 2  # single stages tried beside the last
MAX_ITEMS = 20_000  # the choice is made on at most so many; the head is fitted on all
MANY_ITEMS = 1_000  # above, stages together get half the columns
COLUMNS_TOGETHER = 1_024
HOPELESS = 0.1  # a stage whose probe is so far below the best is not worth a logistic head
LONE_PENALTY = 0.1  # of the logistic head where there is one item a class


@dataclass(frozen=True)
class ProfileRow:
    """The probe at one stage: cross-validated accuracy of a ridge head, with its 95% interval."""

    stage: str
    index: int
    score: float
    low: float
    high: float
    standard_error: float
    penalty: float


@dataclass(frozen=True, eq=False)
class Choice:
    """The chosen head with what it was chosen from.

    Attributes:
        head: fitted on all training items.
        profile: one row a stage.
        candidates: the heads that were tried.
        chosen: the one taken.
        stages: names of the stages it reads.
        positions: of the items the choice was made on: all, or a stratified sample of a large set.
        out_of_fold: its cross-validated probabilities for those items, of shape (N, C), calibrated.
        folds: fold of each of those items, of shape (N,).
        reason: why, in one sentence.
    """

    head: LinearHead
    profile: list[ProfileRow]
    candidates: list[Candidate]
    chosen: Candidate
    stages: tuple[str, ...]
    positions: NDArray[np.integer] = field(repr=False)
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
    last_only: bool = False,
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
        last_only: the head must read the last stage, whatever the profile says.

    Raises:
        DataError: a stage's features are not finite, lengths differ, or there are fewer than two classes.
    """
    names, codes = _coded(features, labels, classes)
    if np.bincount(codes).max() < 2:
        return _unchosen(features, codes, names)
    positions = _sample(codes, MAX_ITEMS, seed)
    if len(positions) < len(codes):
        groups = None if groups is None else np.asarray(groups)[positions]
        sample = rows_of(features, positions)
    else:
        sample = features
    folds = fold_indices(codes[positions], groups, n_folds, seed)
    task = Task(codes[positions], len(names), folds, groups)
    probed = _probe_all(sample, task, n_threads)
    profile = [_row(features.stages[i], i, candidate) for i, (_, candidate) in enumerate(probed)]
    candidates = _try_heads(probed, task, n_threads, last_only)
    chosen, reason = _preferred([candidate for _, candidate in candidates], task, features.stages)
    reduced = next(reduced for reduced, candidate in candidates if candidate is chosen)
    if sample is features:
        with single_threaded():
            head = fit_head(chosen, reduced, codes, names)
    else:
        head = fit_head_streamed(chosen, reduced, features, codes, names)
    return Choice(
        head=head,
        profile=profile,
        candidates=[candidate for _, candidate in candidates],
        chosen=chosen,
        stages=tuple(features.stages[i] for i in chosen.stages),
        positions=positions,
        out_of_fold=softmax(chosen.logits / chosen.temperature),
        folds=task.folds,
        reason=reason,
    )


def _unchosen(features: StageFeatures, codes: NDArray[np.intp], names: tuple[str, ...]) -> Choice:
    """Return a head on the last stage, at a fixed penalty: one item a class leaves nothing to validate on."""
    last = len(features.stages) - 1
    x_ND = features.stage(last)
    reduced = reduce(x_ND, standardiser(x_ND, name=f"stage {features.stages[last]}"))
    unknown = float("nan")
    nothing = np.zeros((0, len(names)), dtype=np.float32)
    chosen = Candidate((last,), "logistic", LONE_PENALTY, unknown, unknown, unknown, 1.0, nothing)
    return Choice(
        head=fit_head(chosen, reduced, codes, names),
        profile=[],
        candidates=[chosen],
        chosen=chosen,
        stages=(features.stages[last],),
        positions=np.zeros(0, dtype=np.intp),
        out_of_fold=nothing,
        folds=np.zeros(0, dtype=np.intp),
        reason="One item a class leaves nothing to choose by: the head reads the last stage.",
    )


def _coded(
    features: StageFeatures, labels: NDArray[np.object_], classes: tuple[str, ...] | None
) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Return the class names and the class number of each item."""
    listed = [str(label) for label in labels]
    names = classes or natural_order(listed)
    if len(listed) != features.n_items:
        raise DataError(f"There are {features.n_items} items and {len(listed)} labels; they must be as many.")
    number = {name: i for i, name in enumerate(names)}
    missing = sorted(set(listed) - set(names))
    if missing:
        raise DataError(f"The label {missing[0]!r} is not among the {len(names)} classes given.")
    if len(set(listed)) < 2:
        raise DataError(
            f"All {len(listed)} training items have the class {listed[0] if listed else ''!r}; "
            "a classifier needs items of at least two classes."
        )
    return names, np.array([number[label] for label in listed], dtype=np.intp)


def _sample(codes: NDArray[np.intp], n_most: int, seed: int) -> NDArray[np.intp]:
    """Return all positions, or a sample in which every class has its share and at least two items."""
    if len(codes) <= n_most:
        return np.arange(len(codes))
    order = np.random.default_rng(seed).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    counts = np.bincount(codes)
    wanted = np.minimum(counts, np.maximum(2, np.floor(counts * n_most / len(codes)).astype(int)))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    kept = [order[start : start + n] for start, n in zip(starts, wanted)]
    return np.sort(np.concatenate(kept))


def _probe_all(features: StageFeatures, task: Task, n_threads: int | None) -> list[tuple[Reduced, Candidate]]:
    """Rotate every stage's features and score a ridge probe on them."""

    def probe(index: int) -> tuple[Reduced, Candidate]:
        x_ND = features.stage(index)
        reduced = reduce(x_ND, standardiser(x_ND, name=f"stage {features.stages[index]}"))
        return reduced, ridge_candidate(reduced, task, (index,))

    return parallel_map(probe, range(len(features.stages)), n_threads)


def _row(stage: str, index: int, candidate: Candidate) -> ProfileRow:
    """Return the profile row of a probe; its interval is normal, cut to [0, 1]."""
    error = candidate.standard_error if np.isfinite(candidate.standard_error) else 0.0
    score = candidate.accuracy
    low, high = max(0.0, score - 1.96 * error), min(1.0, score + 1.96 * error)
    return ProfileRow(stage, index, score, low, high, error, candidate.penalty)


def _try_heads(
    probed: list[tuple[Reduced, Candidate]], task: Task, n_threads: int | None, last_only: bool
) -> list[tuple[Reduced, Candidate]]:
    """Score heads on the last stage, on those with the best probes, and on all together; the last first."""
    last = len(probed) - 1
    order = sorted(range(last), key=lambda i: -probed[i][1].accuracy)
    picked: list[tuple[int, ...]] = [(last,), *((i,) for i in order[:N_SINGLE] if not last_only)]
    if last > 0 and not last_only:
        picked.insert(1, tuple(range(last + 1)))  # the longest work early

    best_probe = max(candidate.accuracy for _, candidate in probed)

    def score(stages: tuple[int, ...]) -> tuple[Reduced, Candidate]:
        if len(stages) == 1:
            reduced, ridge = probed[stages[0]]
            if ridge.accuracy < best_probe - HOPELESS:
                return reduced, ridge
            return reduced, best_candidate(reduced, task, stages, ridge)
        n_columns = COLUMNS_TOGETHER if len(task.codes) <= MANY_ITEMS else COLUMNS_TOGETHER // 2
        reduced = combine([probed[i][0] for i in stages], n_columns)
        return reduced, best_candidate(reduced, task, stages, None)

    return parallel_map(score, picked, n_threads)


def _preferred(candidates: list[Candidate], task: Task, names: tuple[str, ...]) -> tuple[Candidate, str]:
    """Return the candidate to use (the first is the last stage) and why."""
    last = candidates[0]
    best = max(candidates, key=lambda c: (c.accuracy, -c.log_loss))
    where = names[best.stages[0]] if len(best.stages) == 1 else "all stages together"
    scores = f"{where} ({best.accuracy:.3f}) and the last, {names[-1]} ({last.accuracy:.3f})"
    if best is last:
        return last, f"The last stage, {names[-1]}, is the best by cross-validation ({last.accuracy:.3f})."
    gain = _correct(best, task) - _correct(last, task)
    if not gain.mean() > N_ERRORS * standard_error(gain, task.groups):
        return last, (
            f"Cross-validation cannot tell {scores}, apart; the source's own output is the safer choice."
        )
    return best, (
        f"By cross-validation {where} ({best.accuracy:.3f}) beats the last stage, {names[-1]} "
        f"({last.accuracy:.3f}), by more than {N_ERRORS:g} standard errors of the difference."
    )


def _correct(candidate: Candidate, task: Task) -> NDArray[np.float64]:
    """Return 1 where a candidate's out-of-fold prediction is right, of shape (N,)."""
    return np.asarray(candidate.logits.argmax(axis=1) == task.codes, dtype=np.float64)
