"""The depth profile and the default head, chosen on training items only.

1. A ridge probe at every stage, cross-validated with groups kept together: the profile.
2. Heads on the most promising stages, the last stage and several stages together, cross-validated on the
   same folds.
3. The last stage is the source's own output and transfers best to data that differ from the training items, so
   it is kept unless another head is better by more than chance explains for the best of all that were looked at (of
   accuracy; for labels and quantities of the explained share of the loss). See `choose.preference`.
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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.choose.features import StageFeatures, rows_of
from headstart.choose.fit_head import fit_head
from headstart.choose.kinds import KINDS, LOGISTIC, RIDGE
from headstart.choose.preference import Preference, preferred
from headstart.choose.profile import ProfileRow, probe_stages, profile_row
from headstart.choose.tried_head import Trial, TriedHead
from headstart.data.splits import fold_indices
from headstart.errors import DataError
from headstart.evidence import cross_validation_factor
from headstart.heads.head import Head
from headstart.heads.reduce import Reduced, combine, reduce, standardiser
from headstart.heads.threads import parallel_map
from headstart.tasks import CLASSIFICATION, Targets, Task

N_SINGLE = 2  # single stages tried in addition to the last
MAX_ITEMS = 20_000  # the choice is made on at most this number of items; the head is fitted on all
MANY_ITEMS = 1_000  # with more items, several stages together get half the columns
COLUMNS_TOGETHER = 1_024
HOPELESS = 0.1  # a stage whose probe is this far below the best gets no logistic head
LONE_PENALTY = 0.1  # penalty of the logistic head for one item per class


@dataclass(frozen=True, eq=False)
class Choice:
    """The chosen head with what it was chosen from.

    Attributes:
        head: fitted on all training items.
        profile: one row per stage.
        tried_heads: the heads that were tried.
        chosen: the one taken.
        stages: names of the stages it reads.
        positions: of the items the choice was made on: all, or a stratified sample of a large set.
        out_of_fold: its cross-validated outputs for those items, of shape (N, C), calibrated.
        folds: fold of each of those items, of shape (N,).
        expected: its cross-validated quality, corrected for the choice among the heads; nan if nothing was left to
            validate on.
        freedom: degrees of freedom of the standard errors: number of units - 1, less if they differ in size.
        reason: of the choice, in one sentence.
    """

    head: Head
    profile: list[ProfileRow]
    tried_heads: list[TriedHead]
    chosen: TriedHead
    stages: tuple[str, ...]
    positions: NDArray[np.integer] = field(repr=False)
    out_of_fold: NDArray[np.float32] = field(repr=False)
    folds: NDArray[np.integer] = field(repr=False)
    expected: float
    freedom: float
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
    task: Task = CLASSIFICATION,
    n_threads: int | None = None,
    last_only: bool = False,
) -> Choice:
    """Profile the depths, choose a head by cross-validation, fit it on all items.

    Args:
        features: of N training items, at every stage.
        labels: of each item, as text, of shape (N,): a class, labels joined by `|`, or a number.
        groups: group of each item, of shape (N,), kept together in folds; None: none.
        n_folds: folds at most.
        seed: of the folds.
        classes: order of the classes or labels, or the name of a quantity; None: natural order of those that
            occur.
        task: what the labels are.
        n_threads: stages worked on at once; None: as many as cores.
        last_only: the head must read the last stage, whatever the profile shows.

    Raises:
        DataError: a stage's features are not finite, lengths differ, or there are fewer than two classes.
    """
    targets, encoded = _encoded(features, labels, classes, task)
    layers = task.strata(encoded)
    if len(encoded) < 2 or (task.one_per_item and np.bincount(layers).max() < 2):
        return _unchosen(features, encoded, targets)
    positions = _sample(layers, MAX_ITEMS, seed)
    if len(positions) < len(encoded):
        groups = None if groups is None else np.asarray(groups)[positions]
        sample = rows_of(features, positions)
    else:
        sample = features
    folds = fold_indices(layers[positions], groups, n_folds, seed)
    trial = Trial(task, encoded[positions], targets.n_outputs, folds, groups)
    probed = probe_stages(sample, trial, n_threads)
    profile = [profile_row(features.stages[i], i, tried, trial) for i, (_, tried) in enumerate(probed)]
    tried_heads = _try_heads(probed, trial, n_threads, last_only)
    found = _preferred([tried for _, tried in probed], [tried for _, tried in tried_heads], trial)
    reduced, chosen = tried_heads[found.index]
    return Choice(
        head=fit_head(chosen, reduced, features, encoded, targets),
        profile=profile,
        tried_heads=[tried for _, tried in tried_heads],
        chosen=chosen,
        stages=tuple(features.stages[i] for i in chosen.stages),
        positions=positions,
        out_of_fold=task.activated(chosen.logits, chosen.temperature),
        folds=trial.folds,
        expected=found.expected,
        freedom=trial.freedom,
        reason=_reason([tried for _, tried in tried_heads], found, features.stages),
    )


def _unchosen(features: StageFeatures, encoded: NDArray[Any], targets: Targets) -> Choice:
    """Return a head on the last stage, at a fixed penalty: one item per class leaves nothing to validate on."""
    last = len(features.stages) - 1
    x_ND = features.stage(last)
    reduced = reduce(x_ND, standardiser(x_ND, name=f"stage {features.stages[last]}"))
    unknown = float("nan")
    nothing = np.zeros((0, targets.n_outputs), dtype=np.float32)
    chosen = TriedHead((last,), LOGISTIC.name, LONE_PENALTY, unknown, unknown, unknown, 1.0, nothing)
    return Choice(
        head=LOGISTIC.fit(chosen, reduced, encoded, targets),
        profile=[],
        tried_heads=[chosen],
        chosen=chosen,
        stages=(features.stages[last],),
        positions=np.zeros(0, dtype=np.intp),
        out_of_fold=nothing,
        folds=np.zeros(0, dtype=np.intp),
        expected=unknown,
        freedom=0.0,
        reason="One item per class leaves nothing to choose by: the head reads the last stage.",
    )


def _encoded(
    features: StageFeatures, labels: NDArray[np.object_], classes: tuple[str, ...] | None, task: Task
) -> tuple[Targets, NDArray[Any]]:
    """Return the task with its names, and the targets as numbers."""
    listed = [str(label) for label in labels]
    if len(listed) != features.n_items:
        raise DataError(
            f"There are {features.n_items} items and {len(listed)} labels; give one label per item."
        )
    targets = Targets(task, classes or task.output_names(listed, "value"))
    encoded = targets.encode(listed)
    if len(set(listed)) < 2:
        kind, kinds = task.words.answer
        raise DataError(
            f"All {len(listed)} training items have the {kind} {listed[0] if listed else ''!r}; "
            f"a head needs items of at least two {kinds}."
        )
    return targets, encoded


def _sample(codes: NDArray[np.integer], n_most: int, seed: int) -> NDArray[np.intp]:
    """Return all positions, or a sample in which every stratum has its share and at least two items."""
    if len(codes) <= n_most:
        return np.arange(len(codes))
    order = np.random.default_rng(seed).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    counts = np.bincount(codes)
    wanted = np.minimum(counts, np.maximum(2, np.floor(counts * n_most / len(codes)).astype(int)))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    kept = [order[start : start + n] for start, n in zip(starts, wanted)]
    return np.sort(np.concatenate(kept))


def _try_heads(
    probed: list[tuple[Reduced, TriedHead]], trial: Trial, n_threads: int | None, last_only: bool
) -> list[tuple[Reduced, TriedHead]]:
    """Score heads on the last stage, on those with the best probes, and on all together; the last first."""
    last = len(probed) - 1
    order = sorted(range(last), key=lambda i: -probed[i][1].quality)
    picked: list[tuple[int, ...]] = [(last,), *((i,) for i in order[:N_SINGLE] if not last_only)]
    if last > 0 and not last_only:
        picked.insert(1, tuple(range(last + 1)))  # the longest work first

    best_probe = max(tried.quality for _, tried in probed)

    def score(stages: tuple[int, ...]) -> tuple[Reduced, TriedHead]:
        if len(stages) == 1:
            reduced, ridge = probed[stages[0]]
            if ridge.quality < best_probe - HOPELESS:
                return reduced, ridge
            return reduced, _best_head(reduced, trial, stages, ridge)
        n_columns = COLUMNS_TOGETHER if len(trial.targets) <= MANY_ITEMS else COLUMNS_TOGETHER // 2
        reduced = combine([probed[i][0] for i in stages], n_columns)
        return reduced, _best_head(reduced, trial, stages, None)

    return parallel_map(score, picked, n_threads)


def _best_head(reduced: Reduced, trial: Trial, stages: tuple[int, ...], ridge: TriedHead | None) -> TriedHead:
    """Return the head with the smallest loss on these stages, of every kind that suits.

    Args:
        reduced: rotated features of the stages.
        trial: what to score on.
        stages: their indices.
        ridge: the ridge head, if it has been scored already.
    """
    best = ridge or RIDGE.score(reduced, trial, stages)
    assert best is not None  # ridge suits every task
    for kind in KINDS.values():
        tried = None if kind.name == best.kind else kind.score(reduced, trial, stages)
        if tried is not None and not best.loss < tried.loss:
            best = tried
    return best


def _preferred(probes: list[TriedHead], tried_heads: list[TriedHead], trial: Trial) -> Preference:
    """Return which head to use; the first tried is that of the last stage."""
    quality_NH = np.stack([trial.quality(tried) for tried in tried_heads], axis=1)
    alone = {tried.stages for tried in tried_heads}
    others = probes[:-1] if len(tried_heads) > 1 else []
    reference = trial.quality(probes[-1])
    gains = [trial.quality(probe) - reference for probe in others]
    return preferred(
        quality_NH,
        np.stack(gains, axis=1) if gains else np.zeros((len(reference), 0)),
        np.array([probe.stages not in alone for probe in others], dtype=bool),
        trial.groups,
        step=1.0 if trial.task.one_per_item else 0.0,
        widen=cross_validation_factor(trial.n_folds),
    )


def _reason(tried_heads: list[TriedHead], found: Preference, names: tuple[str, ...]) -> str:
    """Return why a head is used, in one sentence."""
    last, chosen = tried_heads[0], tried_heads[found.index]
    best = max(tried_heads, key=lambda tried: (tried.quality, -tried.loss))
    if chosen is not last:
        return (
            f"By cross-validation {_where(chosen, names)} ({chosen.quality:.3f}) beats the last stage, {names[-1]} "
            f"({last.quality:.3f}), by more than chance explains; a score that was selected is high by chance, so "
            f"expect {found.expected:.3f}."
        )
    if best is last:
        return f"The last stage, {names[-1]}, is the best by cross-validation ({last.quality:.3f})."
    return (
        f"Cross-validation cannot tell {_where(best, names)} ({best.quality:.3f}) and the last, {names[-1]} "
        f"({last.quality:.3f}), apart; the source's own output is the safer choice."
    )


def _where(tried: TriedHead, names: tuple[str, ...]) -> str:
    return names[tried.stages[0]] if len(tried.stages) == 1 else "all stages together"
