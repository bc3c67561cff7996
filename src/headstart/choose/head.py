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

from headstart.choose.cut import advised_cut
from headstart.choose.features import StageFeatures, described, rows_of
from headstart.choose.fit_head import fit_head
from headstart.choose.kinds import LOGISTIC, RIDGE
from headstart.choose.preference import Preference, preferred
from headstart.choose.profile import ProfileRow, interval_around, probe_stages, profile_row
from headstart.choose.sampling import stratified_sample
from headstart.choose.tried_head import Trial, TriedHead
from headstart.choose.try_heads import try_heads
from headstart.data.splits import fold_indices
from headstart.errors import DataError
from headstart.evidence import cross_validation_factor
from headstart.heads.head import Head
from headstart.heads.reduce import reduce, standardiser
from headstart.metrics import Interval
from headstart.tasks import CLASSIFICATION, Targets, Task
from headstart.units import counted

MAX_ITEMS = 20_000  # the choice is made on at most this number of items; the head is fitted on all
LONE_PENALTY = 0.1  # penalty of the head if nothing is left to choose it by


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
        advised_cut: number of stages to freeze if the network is trained (see `choose.cut`); None without a profile.
    """

    head: Head
    profile: list[ProfileRow]
    tried_heads: list[TriedHead]
    chosen: TriedHead
    stages: tuple[str, ...]
    positions: NDArray[np.integer] = field(repr=False)
    out_of_fold: NDArray[np.floating] = field(repr=False)
    folds: NDArray[np.integer] = field(repr=False)
    expected: float
    freedom: float
    reason: str
    advised_cut: int | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the columns."""
        return self.head.classes

    @property
    def n_folds(self) -> int:
        """The number of folds used."""
        return len(np.unique(self.folds))

    @property
    def standard_error(self) -> float:
        """Of `expected`; wider than that of the items' mean, since the fits of the folds share items."""
        return self.chosen.standard_error * cross_validation_factor(self.n_folds)

    def interval(self) -> Interval:
        """Return `expected` with its 95% interval; without a value if nothing was left to validate on."""
        if not len(self.positions):
            return Interval(None, why="too few labelled items to cross-validate")
        low, high = interval_around(self.expected, self.standard_error, self.freedom, self.head.task)
        return Interval.of({"value": self.expected, "low": low, "high": high})


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
    weights: NDArray[np.floating] | None = None,
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
        weights: of the items, of shape (N,), at least 0 and not all 0; None: all the same. Heads are fitted with them,
            and compared by weighted means. Features are scaled, and temperatures fitted, without them.

    Raises:
        DataError: a stage's features are not finite, lengths differ, or there are fewer than two classes.
    """
    targets, encoded = _encoded(features, labels, classes, task)
    layers = task.strata(encoded)
    weights = None if weights is None else np.asarray(weights, dtype=np.float64) / np.mean(weights)
    if task.one_per_item and np.bincount(layers).max() < 2:
        return _unchosen(features, encoded, targets, "One item per class", weights)
    if groups is not None and len(set(np.asarray(groups).tolist())) < 2:
        return _unchosen(features, encoded, targets, "One group of training items", weights)
    positions = stratified_sample(layers, MAX_ITEMS, seed)
    if len(positions) < len(encoded):
        groups = None if groups is None else np.asarray(groups)[positions]
        sample = rows_of(features, positions)
    else:
        sample = features
    folds = fold_indices(layers[positions], groups, n_folds, seed)
    counts = None if weights is None else weights[positions] / weights[positions].mean()
    trial = Trial(task, encoded[positions], targets.n_outputs, folds, groups, counts)
    probed = probe_stages(sample, trial, n_threads)
    profile = [profile_row(features.stages[i], i, tried, trial) for i, (_, tried) in enumerate(probed)]
    tried_heads = try_heads(probed, trial, n_threads, last_only)
    probes = [tried for _, tried in probed]
    found = _preferred(probes, [tried for _, tried in tried_heads], trial)
    reduced, chosen = tried_heads[found.index]
    return Choice(
        head=fit_head(chosen, reduced, features, encoded, targets, weights),
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
        advised_cut=_cut(probes, trial),
    )


def _unchosen(
    features: StageFeatures,
    encoded: NDArray[Any],
    targets: Targets,
    what: str,
    weights: NDArray[np.floating] | None,
) -> Choice:
    """Return a head on the last stage, at a fixed penalty, if nothing is left to validate on.

    Args:
        features: of N training items.
        encoded: their targets.
        targets: the task with its names.
        what: what leaves nothing to validate on.
        weights: of the items, of mean 1, or None.
    """
    last = len(features.stages) - 1
    x_ND = features.stage(last)
    reduced = reduce(x_ND, standardiser(x_ND, name=described(features, (last,))))
    unknown = float("nan")
    nothing = np.zeros((0, targets.n_outputs), dtype=targets.task.dtype)
    kind = LOGISTIC if targets.task.has_classes else RIDGE
    chosen = TriedHead((last,), kind.name, LONE_PENALTY, unknown, unknown, unknown, 1.0, nothing)
    return Choice(
        head=kind.fit(chosen, reduced, encoded, targets, weights),
        profile=[],
        tried_heads=[chosen],
        chosen=chosen,
        stages=(features.stages[last],),
        positions=np.zeros(0, dtype=np.intp),
        out_of_fold=nothing,
        folds=np.zeros(0, dtype=np.intp),
        expected=unknown,
        freedom=0.0,
        reason=f"{what} leaves nothing to choose by: the head reads the last stage, at a fixed penalty.",
    )


def _encoded(
    features: StageFeatures, labels: NDArray[np.object_], classes: tuple[str, ...] | None, task: Task
) -> tuple[Targets, NDArray[Any]]:
    """Return the task with its names, and the targets as numbers."""
    listed = [str(label) for label in labels]
    if len(listed) != features.n_items:
        raise DataError(
            f"Got {counted(features.n_items, 'items')} and {counted(len(listed), 'labels')}; give one label per item."
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
        step=trial.step,
        widen=cross_validation_factor(trial.n_folds),
        ties_H=_ranks(tried_heads),
    )


def _cut(probes: list[TriedHead], trial: Trial) -> int:
    return advised_cut(
        np.stack([trial.quality(probe) for probe in probes], axis=1),
        trial.groups,
        step=trial.step,
        widen=cross_validation_factor(trial.n_folds),
    )


def _ranks(tried_heads: list[TriedHead]) -> NDArray[np.intp]:
    """Return the rank of each head where qualities are equal: the smaller loss first, then fewer stages."""
    order = sorted(range(len(tried_heads)), key=lambda i: (tried_heads[i].loss, len(tried_heads[i].stages)))
    return np.argsort(order)


def _reason(tried_heads: list[TriedHead], found: Preference, names: tuple[str, ...]) -> str:
    """Return why a head is used, in one sentence."""
    last, chosen = tried_heads[0], tried_heads[found.index]
    best = max(tried_heads, key=lambda tried: (tried.quality, tried is last, -tried.loss))
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
