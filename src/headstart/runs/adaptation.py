"""What an adaptation found: the block `adaptation` of metrics.json, and what report and tables are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from headstart.metrics import Interval

SOURCE_ONLY = "none"  # name of the method that does nothing


@dataclass(frozen=True)
class MethodRow:
    """One method that was tried.

    Attributes:
        name: its text, as --method takes it.
        label: its name for a reader.
        scores: what each selector says, without labels of the target; larger is better.
        seconds: to fit it.
        truth: its score on the target's labels, if there are any.
        gain: that score minus the score of source only, paired.
        agreement: share of the scored items that it and source only answer alike.
        note: why it could not be used; "" if it could.
    """

    name: str
    label: str
    scores: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    truth: Interval | None = None
    gain: Interval | None = None
    agreement: float | None = None
    note: str = ""


@dataclass(frozen=True)
class ClassRow:
    """What the adaptation does to one class.

    Attributes:
        name: of the class.
        source_share: of the labelled items of the source.
        share: estimated share of the target, with its interval.
        predicted: share of the scored items that are predicted as this class.
        n_items: scored items of this class, if labels are known.
        before: of these, how many source only answers right.
        after: of these, how many the result answers right.
    """

    name: str
    source_share: float
    share: Interval | None
    predicted: float
    n_items: int | None = None
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class AdaptationFacts:
    """The whole of an adaptation.

    Attributes:
        names: of the two domains, the labelled one first.
        method: name of the method that was returned.
        reason: why, in one sentence.
        sentence: the result in one sentence.
        chosen_by: "auto", or "the user".
        n_source: labelled items of the source.
        n_target: items of the target.
        n_adapted: of these, items that were adapted on.
        n_scored: of these, items whose labels score the result; 0 without labels.
        held_out: whether the scored items are not those that were adapted on.
        stages: names of the stages that every method reads.
        in_domain: quality of source only on the source itself, by cross-validation.
        methods: every method that was tried, source only first.
        classes: one row per class.
        shift: what kind of shift it is (see `adapt.shift`), as JSON holds it.
        ceiling: score of a head learned from the target's own labels, by cross-validation, if there are labels.
        metric: key of the metric of every score.
        warnings: what to know before trusting the result.
        notes: what else was found.
        to_label: names of target items whose labels would help most.
        from_run: whether the source's items were drawn from the statistics that a run keeps.
    """

    names: tuple[str, str]
    method: str
    reason: str
    sentence: str
    chosen_by: str
    n_source: int
    n_target: int
    n_adapted: int
    n_scored: int
    held_out: bool
    stages: tuple[str, ...]
    in_domain: Interval
    methods: tuple[MethodRow, ...]
    classes: tuple[ClassRow, ...] = ()
    shift: Mapping[str, Any] = field(default_factory=dict)
    ceiling: Interval | None = None
    metric: str = "accuracy"
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    to_label: tuple[str, ...] = ()
    from_run: bool = False

    @property
    def returned(self) -> MethodRow:
        """The method that was returned."""
        return next(row for row in self.methods if row.name == self.method)

    @property
    def source_only(self) -> MethodRow:
        """The method that does nothing."""
        return self.methods[0]

    def to_json(self) -> dict[str, Any]:
        """The block of metrics.json."""
        found = asdict(self)
        for row, made in zip(self.methods, found["methods"], strict=True):
            made |= {name: _interval(getattr(row, name)) for name in ("truth", "gain")}
        for each, made in zip(self.classes, found["classes"], strict=True):
            made["share"] = _interval(each.share)
        return {**found, "in_domain": self.in_domain.to_json(), "ceiling": _interval(self.ceiling)}


def _interval(found: Interval | None) -> dict[str, Any] | None:
    return None if found is None else found.to_json()
