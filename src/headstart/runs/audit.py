"""What an audit found: the block `audit` of metrics.json, and what report and tables are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from headstart.evidence.verdict import Outcome
from headstart.metrics import Interval

Role = Literal["transfer", "source", "scratch", "random", "classical", "majority"]
WITHOUT = ("scratch", "random", "classical", "majority")  # roles of the baselines without pretrained weights


@dataclass(frozen=True)
class Point:
    """What a method reaches with one number of labels, over the seeds.

    Attributes:
        n_labels: number of training items that was asked for.
        n_learned: number of training items that were drawn, mean over the seeds; whole groups can make it differ.
        score: on the held-out items, with its 95% interval.
        on_folds: quality on training items that were left out of the fit; None if it cannot be had.
        n_judged: number of these items, all draws together.
        seconds: to learn from so many items, extraction of their features counted; mean over the seeds.
        n_seeds: seeds that it was measured with.
    """

    n_labels: int
    n_learned: float
    score: Interval
    on_folds: float | None
    seconds: float
    n_seeds: int
    n_judged: int = 0


@dataclass(frozen=True)
class Fitted:
    """A learning curve that was fitted to the points of a method, extrapolated to twice the largest number of labels.

    Attributes:
        n_labels: where it is drawn.
        value, low, high: the score there, with its 95% band.
    """

    n_labels: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Curve:
    """The learning curve of one method.

    Attributes:
        name: of the method; for a source, how the user named it.
        role: what it is.
        points: one per number of labels at which anything was measured, rising.
        given: what the method was given, in words (features, rates, epochs, time).
        fitted: the curve through the points; None if there are too few.
    """

    name: str
    role: Role
    points: tuple[Point, ...]
    given: str = ""
    fitted: Fitted | None = None


@dataclass(frozen=True)
class SizeVerdict:
    """Whether transfer helps with one number of labels.

    Attributes:
        n_labels: number of training items.
        outcome: "positive", "negative" or "undecided".
        against: name of the best method without pretrained weights, chosen on training items.
        gain: the score of transfer minus that of `against`, with its 95% interval.
        p: of no difference, corrected for looking at several numbers of labels (Holm 1979).
        gains: the same difference from every method without pretrained weights, by name.
        needs: what would decide it, in a clause; "" if it is decided or nothing would.
    """

    n_labels: int
    outcome: Outcome
    against: str
    gain: Interval
    p: float
    gains: Mapping[str, Interval] = field(default_factory=dict)
    needs: str = ""


@dataclass(frozen=True)
class Saved:
    """What transfer saves at equal score.

    Attributes:
        against: name of the method that it is compared with.
        level: score of that method with all labels.
        n_labels: number of labels that method needs for it.
        n_transfer: number of labels that transfer needs for it, with its 95% interval.
        factor: n_labels / n_transfer, with its interval.
        seconds: of that method.
        seconds_transfer: of transfer, with the interval that follows from `n_transfer`.
        time_factor: seconds / seconds_transfer.
        bound: "at least" if transfer reaches the level with the smallest number of labels already, "not reached" if it
            does not with the largest, else "".
    """

    against: str
    level: float
    n_labels: int
    n_transfer: Interval
    factor: Interval
    seconds: float
    seconds_transfer: Interval
    time_factor: Interval
    bound: Literal["", "at least", "not reached"] = ""


@dataclass(frozen=True)
class SeenBySource:
    """Held-out items that are in the source's own training data, as copies or near copies.

    Attributes:
        name: of that data, as the user gave it.
        n_seen: number of these items.
        gain: the difference of the last verdict without these items; None if there are none.
    """

    name: str
    n_seen: int
    gain: Interval | None = None


@dataclass(frozen=True)
class AuditFacts:
    """A whole audit.

    Attributes:
        metric: key of the metric of every score.
        source: how the user named the source.
        sentence: the result in one sentence.
        curves: transfer first, then other sources, then the methods without pretrained weights.
        verdicts: one per number of labels, rising; the last is the audit's.
        saved: what transfer saves against each method without pretrained weights, by name.
        others: the score of transfer minus that of every other source, per number of labels, by its name.
        n_seeds: seeds that were asked for.
        n_train: number of training items that are drawn from.
        n_held_out, n_units: held-out items, and how many of them are independent.
        warnings: what a reader must know before trusting it.
        notes: what else counts.
        seen: what the source has seen of the held-out items; None if its own training data was not given.
    """

    metric: str
    source: str
    sentence: str
    curves: Sequence[Curve]
    verdicts: Sequence[SizeVerdict]
    saved: Mapping[str, Saved]
    others: Mapping[str, Sequence[SizeVerdict]]
    n_seeds: int
    n_train: int
    n_held_out: int
    n_units: int
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    seen: SeenBySource | None = None

    @property
    def transfer(self) -> Curve:
        """The curve of transfer."""
        return self.curves[0]

    @property
    def final(self) -> SizeVerdict:
        """The verdict with the largest number of labels."""
        return self.verdicts[-1]

    def curve(self, name: str) -> Curve:
        """The curve of a method.

        Raises:
            StopIteration: it was not measured.
        """
        return next(curve for curve in self.curves if curve.name == name)

    def to_json(self) -> dict[str, Any]:
        """The block of metrics.json."""
        return dict(_plain(asdict(self)))


def _plain(value: Any) -> Any:
    """Nested mappings, lists and numbers; an interval was made a mapping with its ends by `asdict`."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
