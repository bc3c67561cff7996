"""From cells to learning curves, differences, verdicts, and what is saved; every number over seeds and items.

Legend: R seeds, N held-out items, S numbers of labels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headstart.auditing.deciding import what_decides
from headstart.auditing.work import Measured
from headstart.evidence.over_seeds import Gain, gain, holm, score
from headstart.evidence.verdict import LEAST_ITEMS, Outcome
from headstart.metrics import Interval, Units
from headstart.metrics.spread import Float
from headstart.runs.audit import WITHOUT, Curve, Point, SizeVerdict

if TYPE_CHECKING:
    from headstart.data import DataSet

LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class Held:
    """What scores are computed on.

    Attributes:
        units: of the held-out items.
        kind: what the values of the items are: "accuracy", "log_loss" or "rmse".
        some: positions of the held-out items that count; None: all.
    """

    units: Units
    kind: str
    some: NDArray[np.integer] | None = None

    @classmethod
    def of(cls, data: DataSet) -> Held:
        """What scores of a data set are computed on: its held-out part."""
        held_out = data.positions("test")
        units = Units.of(None if data.units is None else data.units[held_out], len(held_out))
        return cls(units, data.examples.task.verdict_metric)


def seeds_of(measured: Measured, size: int) -> list[int]:
    """The draws of a number of labels for which a method gives something, rising."""
    return sorted(seed for (n, seed), cell in measured.cells.items() if n == size and cell.values is not None)


def values_of(measured: Measured, size: int, seeds: Sequence[int]) -> Float:
    """What a method gives for the held-out items, of shape (R, N)."""
    found = [measured.cells[size, seed].values for seed in seeds]
    return np.asarray(np.stack([each for each in found if each is not None]), dtype=np.float64)


def curve(measured: Measured, sizes: Sequence[int], held: Held) -> Curve:
    """The learning curve of a method.

    Args:
        measured: the method with its cells.
        sizes: numbers of labels, rising.
        held: the held-out items.
    """
    points = []
    for size in sizes:
        seeds = seeds_of(measured, size)
        if not seeds:
            continue
        cells = [measured.cells[size, seed] for seed in seeds]
        folds = [cell.on_folds for cell in cells if cell.on_folds is not None]
        n_learned = float(np.mean([cell.n_learned for cell in cells]))
        points.append(
            Point(
                size,
                n_learned,
                score(values_of(measured, size, seeds), held.units, held.kind),
                float(np.mean(folds)) if folds else None,
                float(np.mean([cell.seconds for cell in cells])) + n_learned * measured.method.item_seconds,
                len(seeds),
                sum(cell.n_judged for cell in cells),
            )
        )
    given = measured.method.given if not measured.note else f"{measured.method.given}; {measured.note}"
    return Curve(measured.method.name, measured.method.role, tuple(points), given)


def difference(one: Measured, other: Measured, size: int, held: Held) -> tuple[Gain, int] | None:
    """The paired difference of two methods with a number of labels, and its number of seeds; None without any."""
    seeds = [seed for seed in seeds_of(one, size) if seed in seeds_of(other, size)]
    if not seeds:
        return None
    ours, theirs = (values_of(each, size, seeds) for each in (one, other))
    if held.some is not None:
        ours, theirs = ours[:, held.some], theirs[:, held.some]
    return gain(ours, theirs, held.units, held.kind, least_items=LEAST_ITEMS), len(seeds)


def verdicts(
    transfer: Measured,
    baselines: Sequence[Measured],
    curves: Mapping[str, Curve],
    sizes: Sequence[int],
    held: Held,
) -> list[SizeVerdict]:
    """Whether transfer helps, for each number of labels.

    Positive: better than every method without pretrained weights, so that no choice among these can make it so
    (an intersection-union test; Berger 1982). Negative: worse than the one that is the best on the training items.
    Corrected for looking at several numbers of labels (Holm 1979).

    Args:
        transfer: the source.
        baselines: the methods without pretrained weights.
        curves: of the baselines, by name.
        sizes: numbers of labels, rising.
        held: the held-out items.
    """
    found = [_at(transfer, baselines, curves, size, held) for size in sizes]
    adjusted = holm(np.array([each.p for each in found]))
    return [each.verdict(float(p), len(found)) for each, p in zip(found, adjusted, strict=True)]


@dataclass(frozen=True, eq=False)
class _At:
    """The comparisons at one number of labels, before the correction for looking at several."""

    size: int
    against: str
    gains: Mapping[str, Gain]
    n_seeds: int
    n_items: int
    p: float

    def verdict(self, adjusted: float, n_looks: int) -> SizeVerdict:
        own = self.gains.get(self.against)
        if own is None:
            why = "nothing without pretrained weights was measured with so many labels"
            return SizeVerdict(self.size, "undecided", "", Interval(None, why=why), 1.0)
        outcome = outcome_of(own, adjusted)
        needs = (
            ""
            if outcome != "undecided"
            else what_decides(self.gains, self.against, self.n_seeds, self.n_items, n_looks)
        )
        intervals = {name: each.interval for name, each in self.gains.items()}
        return SizeVerdict(self.size, outcome, self.against, own.interval, adjusted, intervals, needs)


def _at(
    transfer: Measured, baselines: Sequence[Measured], curves: Mapping[str, Curve], size: int, held: Held
) -> _At:
    gains: dict[str, Gain] = {}
    n_seeds: dict[str, int] = {}
    for each in baselines:
        found = difference(transfer, each, size, held)
        if found is not None:
            gains[each.method.name], n_seeds[each.method.name] = found
    if not gains:
        return _At(size, "", {}, 0, held.units.n_items, 1.0)
    against = max(gains, key=lambda name: _on_folds(curves[name], size))
    own = gains[against]
    p = own.p
    if own.better:
        p = max(each.p if each.better else 1.0 for each in gains.values())
    return _At(size, against, gains, n_seeds[against], held.units.n_items, p)


def _on_folds(found: Curve, size: int) -> float:
    """Quality on the training items, by which the baseline is chosen; the least if it is not known.

    A standard error (at most 1/2 / sqrt(n) for a share) is taken off, so that a method that was judged on a handful of
    items is not chosen by luck.
    """
    point = next((point for point in found.points if point.n_labels == size), None)
    if point is None or point.on_folds is None or not point.n_judged:
        return -math.inf
    return point.on_folds - 0.5 / math.sqrt(point.n_judged)


def outcome_of(found: Gain, p: float) -> Outcome:
    """What a difference says.

    Args:
        found: the difference.
        p: of no difference, corrected for looking at several.
    """
    if p >= LEVEL:
        return "undecided"
    return "positive" if found.better else "negative"


def is_without(role: str) -> bool:
    """Whether a method has no pretrained weights."""
    return role in WITHOUT
