"""What a ranking of sources found: the block `ranking` of metrics.json, and what report and table are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from headstart.metrics import Interval

Role = Literal["source", "classical", "random"]


@dataclass(frozen=True)
class DepthPoint:
    """The cross-validated probe at one stage.

    Attributes:
        stage: its name.
        score: quality of a ridge head on that stage alone.
        low, high: its 95% interval; nan if none can be had.
    """

    stage: str
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class PartialTransfer:
    """What a source gives if only its first stages keep their weights and the others are random.

    Attributes:
        source: its name.
        points: point k keeps the first k stages and has the name of the last one kept; the first keeps "none".
        best: index of the point with the highest score.
        negative: whether the whole source is clearly below that point, so that the stages after it do harm here.
    """

    source: str
    points: tuple[DepthPoint, ...]
    best: int
    negative: bool


@dataclass(frozen=True)
class Ranked:
    """One source, or one of the baselines that stand in the same table.

    Attributes:
        name: how the user named it, or what the baseline is.
        role: "source", or the baseline: "classical" features, or the best architecture with "random" weights.
        predicted: what `fit --freeze all` is expected to reach on its held-out part, with its 95% interval.
        places: the best and the worst place it can have among all sources and baselines.
        difference: its score minus that of the first source, with an interval that holds for all pairs at once.
        stages: names of the stages that the best head reads.
        profile: a probe at every stage; () for classical features.
        advised_cut: of a source, number of stages to freeze if it is trained; None if it is not known.
        milliseconds: per item on this machine, all threads together; None if not measured.
        megabytes: of its weights in float32; None for classical features.
        upstream: what it was pretrained on, as its card says; None if unknown.
        uri: how a command names the source; "" for classical features.
        arch: the option --arch that it needs.
        scores: transferability scores of its output, by name; larger is better.
        same_as: other names under which the same features were given.
        not_better_than: the baselines that it is not better than, and whether clearly so.
        unclear: the baselines that it is better than, but not clearly.
    """

    name: str
    role: Role
    predicted: Interval
    places: tuple[int, int]
    difference: Interval
    stages: tuple[str, ...] = ()
    profile: tuple[DepthPoint, ...] = ()
    advised_cut: int | None = None
    milliseconds: float | None = None
    megabytes: float | None = None
    upstream: str | None = None
    uri: str = ""
    arch: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    same_as: tuple[str, ...] = ()
    not_better_than: Mapping[str, bool] = field(default_factory=dict)
    unclear: tuple[str, ...] = ()

    @property
    def cost(self) -> float:
        """Milliseconds per item, for comparisons: infinity if they were not measured."""
        return self.milliseconds or float("inf")


@dataclass(frozen=True)
class RankingFacts:
    """A whole ranking.

    Attributes:
        metric: key of the metric that is predicted.
        ranked: sources and baselines, the best first.
        failed: name of each source that could not be ranked, and why.
        advice: what to do, in one sentence.
        advised: name of the source to fit.
        n_items: number of training items that the sources were compared on.
        n_held_out: number of items that a fit would hold out; 0 if none.
        warnings: what a reader must know before trusting the order.
        notes: what else counts in the order.
        partial: the partial-transfer curve of the first source, if it was asked for.
    """

    metric: str
    ranked: Sequence[Ranked]
    failed: Mapping[str, str]
    advice: str
    n_items: int
    n_held_out: int
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    advised: str = ""
    partial: PartialTransfer | None = None

    @property
    def sources(self) -> list[Ranked]:
        """The sources without the baselines, the best first."""
        return [each for each in self.ranked if each.role == "source"]

    @property
    def advised_source(self) -> Ranked:
        """The source to fit; the first one, if the advice names none."""
        return next((each for each in self.sources if each.name == self.advised), self.sources[0])

    @property
    def tied(self) -> list[Ranked]:
        """The sources that can be the best one too: nothing is clearly better than them; without the first itself."""
        best = min((each.places[0] for each in self.sources), default=1)
        return [each for each in self.sources[1:] if each.places[0] == best]

    @property
    def all_alike(self) -> bool:
        """Whether every one of several sources can be the best."""
        return len(self.sources) > 1 and len(self.tied) == len(self.sources) - 1

    def to_json(self) -> dict[str, Any]:
        """The block of metrics.json."""
        rows = []
        for each in self.ranked:
            row = asdict(each)
            row.update(predicted=each.predicted.to_json(), difference=each.difference.to_json())
            rows.append(row)
        return {
            "metric": self.metric,
            "ranked": rows,
            "failed": dict(self.failed),
            "advice": self.advice,
            "advised": self.advised,
            "n_items": self.n_items,
            "n_held_out": self.n_held_out,
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "partial": None if self.partial is None else asdict(self.partial),
        }
