"""What every transferability score must satisfy: finite on any sample, the same in any order, higher with more signal.

Legend: N items, D features, C outputs, Z upstream classes.

Example:
    >>> from headstart.choose.scores import SCORES
    >>> check_score(SCORES["logme"])
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.choose.scores import Sample, Score
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, TASKS, Task
from headstart.testing.close import require

TOLERANCE = 1e-4  # between orders of the items, relative to the value
SIGNALS = (0.0, 0.7, 3.0)
N_CLASSES = 1_000


def check_score(score: Score) -> None:
    """Check a score on small samples of each of its tasks; it need not be in `SCORES` yet.

    Args:
        score: the row.

    Raises:
        AssertionError: a check fails; the message says which, on which sample and by how much.
    """
    require(bool(score.name) and bool(score.label), "name and label are for a reader; one is empty")
    unknown = set(score.tasks) - set(TASKS)
    require(not unknown and bool(score.tasks), f"{score.name}: there is no task {', '.join(sorted(unknown))}")
    for name in score.tasks:
        task = TASKS[name]
        _check_direction(score, task)
        _check_order(score, sample_with(task, SIGNALS[1], seed=1), f"{score.name} of {task}")
        for what, sample in _hard(task):
            _number(score, sample, f"{score.name} of {task}, {what}")
    _check_large(score)


def sample_with(task: Task, signal: float, *, n_items: int = 60, seed: int = 0) -> Sample:
    """Return items whose features, and upstream probabilities, tell the target by a certain strength.

    Args:
        task: what is learned.
        signal: distance between classes, in units of the noise.
        n_items: N.
        seed: of the items.
    """
    random = np.random.default_rng(seed)
    hidden_N3 = random.normal(size=(n_items, 3))
    if task.one_per_item:
        targets: NDArray[Any] = np.arange(n_items) % 3
        hidden_N3 = 2 * np.eye(3)[targets]
    elif task.many_per_item:
        targets = (hidden_N3 > 0).astype(np.float32)
        hidden_N3 = 2.0 * targets
    else:
        targets = hidden_N3[:, :1] + 0.1 * random.normal(size=(n_items, 1))
    x_ND = random.normal(size=(n_items, 8))
    x_ND[:, :3] += signal * hidden_N3
    exponent_N5 = 0.5 * random.normal(size=(n_items, 5))
    exponent_N5[:, :3] += signal * hidden_N3
    p_NZ = np.exp(exponent_N5)
    return Sample(x_ND, targets, task, p_NZ / p_NZ.sum(axis=1, keepdims=True))


def _check_direction(score: Score, task: Task) -> None:
    """More signal, a higher score; a sample without features to learn from is not better than noise."""
    values = [
        np.mean(
            [
                _number(score, sample_with(task, signal, seed=seed), f"{score.name} of {task}")
                for seed in range(3)
            ]
        )
        for signal in SIGNALS
    ]
    shown = ", ".join(f"{value:.4g}" for value in values)
    require(
        bool(np.all(np.diff(values) > 0)),
        f"{score.name} of {task}: with signals of {SIGNALS} it is {shown}; more signal must give a higher score",
    )
    sample = sample_with(task, SIGNALS[-1])
    nothing = _number(score, _without_information(sample), f"{score.name} of {task}, without information")
    require(
        bool(nothing < values[-1]),
        f"{score.name} of {task}: {nothing:.4g} without information, {values[-1]:.4g} with a strong signal",
    )


def _check_order(score: Score, sample: Sample, where: str) -> None:
    """It is computed without chance, without changing what it is given, and whatever the order of the items."""
    before = (sample.features.copy(), sample.targets.copy())
    found = _number(score, sample, where)
    require(
        all(np.array_equal(a, b) for a, b in zip(before, (sample.features, sample.targets))),
        f"{where}: it changes the features or targets that it is given",
    )
    again = _number(score, replace(sample), where)
    require(again == found, f"{where}: computed again, it is {again:.10g}, it was {found:.10g}")
    if score.folds:
        return
    order = np.random.default_rng(5).permutation(len(sample))
    other = _number(score, _rows(sample, order), where)
    difference = abs(other - found)
    require(
        difference <= TOLERANCE * max(1.0, abs(found)),
        f"{where}: it changes by {difference:.3g} with the order of the items",
    )


def _check_large(score: Score) -> None:
    """Of a large set, a part is scored: the same as that part alone."""
    task = TASKS[score.tasks[0]]
    small = replace(score, n_most=30)
    sample = sample_with(task, SIGNALS[1])
    part = sample.at_most(30)
    require(len(part) <= 30, f"{score.name}: a sample of 30 has {len(part)} items")
    whole, alone = (_number(small, each, f"{score.name}, a part") for each in (sample, part))
    require(
        whole == alone, f"{score.name}: {whole:.6g} of a large set, {alone:.6g} of the part that is scored"
    )


def _number(score: Score, sample: Sample, where: str) -> float:
    """Return the score; it must be a finite float, and no warning may be raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = score.of(sample)
        except Warning as warning:
            raise AssertionError(f"{where}: it warns: {warning}") from None
        except Exception as error:
            raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    require(bool(np.isfinite(found)), f"{where}: it is {found}; decide on a finite value and document it")
    return found


def _rows(sample: Sample, rows: NDArray[np.integer]) -> Sample:
    assert sample.probabilities is not None
    return replace(
        sample,
        features=sample.features[rows],
        targets=sample.targets[rows],
        probabilities=sample.probabilities[rows],
    )


def _without_information(sample: Sample) -> Sample:
    assert sample.probabilities is not None
    equal = np.full_like(sample.probabilities, 1 / sample.probabilities.shape[1])
    return replace(sample, features=np.zeros_like(sample.features), probabilities=equal)


def _hard(task: Task) -> Iterator[tuple[str, Sample]]:
    """Yield samples that break naive code."""
    random = np.random.default_rng(3)
    plain = sample_with(task, SIGNALS[1])
    assert plain.probabilities is not None
    x_ND, p_NZ = plain.features, plain.probabilities
    yield (
        "constant and duplicate features",
        replace(plain, features=np.hstack([x_ND, x_ND[:, :2], np.ones((len(x_ND), 2))])),
    )
    yield "constant features", _without_information(replace(plain, features=x_ND))
    yield "features that are all 7", replace(plain, features=np.full_like(x_ND, 7.0))
    yield "more features than items", replace(plain, features=random.normal(size=(len(x_ND), 200)))
    yield "float32", replace(plain, features=x_ND.astype(np.float32), probabilities=p_NZ.astype(np.float32))
    yield "large values", replace(plain, features=1e6 * x_ND)
    yield "small values", replace(plain, features=1e-6 * x_ND)
    yield "one feature", replace(plain, features=x_ND[:, :1])
    yield "equal items", _rows(plain, np.repeat(np.arange(6), 5))
    yield "an upstream class without mass", replace(plain, probabilities=np.hstack([p_NZ, 0 * p_NZ[:, :1]]))
    yield "certain upstream classes", replace(plain, probabilities=np.eye(5)[p_NZ.argmax(axis=1)])
    yield "two items", _rows(plain, np.array([0, 1]))
    yield "three items", _rows(plain, np.array([0, 1, 3]))
    yield "groups", replace(plain, groups=np.arange(len(x_ND)) // 6)
    yield "one group", replace(plain, groups=np.zeros(len(x_ND), dtype=int))
    if task is CLASSIFICATION:
        codes = np.asarray(plain.targets).copy()
        codes[0] = 7
        yield "a class of one item, and numbers that do not occur", replace(plain, targets=codes)
        yield "one item per class", replace(plain, targets=np.arange(len(x_ND)))
        yield "perfect features", replace(plain, features=np.eye(3)[plain.targets])
        many = np.arange(2 * N_CLASSES) % N_CLASSES
        wide, p = random.normal(size=(len(many), 16)), random.random(size=(len(many), 5))
        yield f"{N_CLASSES:,} classes", Sample(wide, many, task, p / p.sum(axis=1, keepdims=True))
    if task is MULTILABEL:
        yield (
            "a label that no item has",
            replace(plain, targets=plain.targets * np.array([1, 0, 1], np.float32)),
        )
        yield "no labels", replace(plain, targets=0 * plain.targets)
    if task is REGRESSION:
        yield "a constant target", replace(plain, targets=np.full_like(plain.targets, 3.0))
        yield "a target that is 0", replace(plain, targets=np.zeros_like(plain.targets))
        yield "values as (N,)", replace(plain, targets=plain.targets[:, 0])
        yield "large targets", replace(plain, targets=1e6 + 1e3 * plain.targets)
