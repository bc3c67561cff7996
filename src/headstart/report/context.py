"""What a report is made from: plain frozen data classes, nothing computed and nothing read from disk.

Legend: C classes, S stages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from headstart.runs.facts import SplitPart

Kind = Literal["image", "text", "audio"]
Severity = Literal["note", "warning", "error"]


class Score(NamedTuple):
    """A number with its 95% interval; `low` and `high` are None where no interval was made."""

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, found: object) -> Score | None:
        """Read a score from `{"value", "low", "high"}`, from an object with these attributes, or a number.

        Args:
            found: what metrics.json holds at that place; None and values that are not finite give None.
        """
        if isinstance(found, Mapping):
            parts = [found.get(key) for key in ("value", "low", "high")]
        elif isinstance(found, int | float):
            parts = [found, None, None]
        else:
            parts = [getattr(found, key, None) for key in ("value", "low", "high")]
        value, low, high = (None if p is None or not math.isfinite(p) else float(p) for p in parts)
        if value is None:
            return None
        return cls(value, None, None) if low is None or high is None else cls(value, low, high)


class LabelLike(Protocol):
    """One label on the held-out items; `headstart.evidence.LabelRow` is one."""

    @property
    def name(self) -> str: ...
    @property
    def n_items(self) -> int: ...
    @property
    def n_named(self) -> int: ...
    @property
    def precision(self) -> float | None: ...
    @property
    def recall(self) -> float | None: ...
    @property
    def f1(self) -> float | None: ...
    @property
    def average_precision(self) -> float | None: ...


class FindingLike(Protocol):
    """What a data check found; `headstart.data.checks.Finding` is one."""

    @property
    def kind(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def message(self) -> str: ...
    @property
    def items(self) -> Sequence[str]: ...
    @property
    def n_items(self) -> int: ...


@dataclass(frozen=True)
class ProfilePoint:
    """The score of a cheap head at one stage, from the training folds."""

    stage: str
    score: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class CalibrationBin:
    """One bin of the reliability diagram.

    Args:
        low, high: edges of the stated confidence, 0 to 1.
        n_items: how many held-out items fall in it.
        confidence, accuracy: their mean confidence and the share that is right (ignored when n_items is 0).
    """

    low: float
    high: float
    n_items: int
    confidence: float = 0.0
    accuracy: float = 0.0


@dataclass(frozen=True)
class HistoryPoint:
    """One epoch of training; numbers that were not measured are None."""

    epoch: float
    train_loss: float | None = None
    validation_loss: float | None = None
    score: float | None = None
    lr: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class WrongItem:
    """A held-out item that was named wrongly, with something to look at, read or listen to.

    Args:
        name: relative path or row.
        label, predicted: the true class and the one named.
        probability: of the class named; `probability_of_label`: of the true class.
        kind: what the payload is.
        payload: image and audio: a data URI; text: an excerpt; "" where the item could not be shown.
        peaks: audio: the envelope from 0 to 1, drawn beside the player.
        seconds: audio: length of the whole recording.
    """

    name: str
    label: str
    predicted: str
    probability: float
    kind: Kind
    payload: str = ""
    probability_of_label: float | None = None
    peaks: tuple[float, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class Candidate:
    """One thing that was tried when a policy was chosen; its score on validation is None if it never got one."""

    name: str
    score: Score | None
    seconds: float | None = None
    chosen: bool = False
    note: str = ""


@dataclass(frozen=True)
class Notice:
    """Something the reader must know before trusting a number."""

    severity: Severity
    title: str
    text: str


@dataclass(frozen=True)
class ReportContext:
    """All that `render` and `end_block` read.

    Args:
        run: the run directory as the user would write it, such as `runs/xray`.
        source: URI of the pretrained model.
        modality: image, text or audio.
        metrics: the content of metrics.json; read are `n_train`, `n_validation`, `n_test`, `test`,
            `baselines`, `verification`, `chosen`, `seconds`, `peak_bytes`, `verdict`, `verdict_evidence`.
        classes: names of the C classes or labels, in the order of `confusion`; empty for regression.
        task: "classification", "multilabel" or "regression".
        confusion: (C, C) int, rows the true class, columns the class named; None: not known, or no classes.
        labels: one row a label, for several labels an item.
        values: (N, 2) truth and prediction of a quantity.
        target, group: columns of the data that were predicted and kept together.
        n_groups: number of distinct groups, all parts together.
        all_stages: names of the S stages of the source, in order.
        trained_stages: stages whose weights were trained, none for a frozen network.
        n_folds: folds of the outer cross-validation (`--folds`), 0 for one held-out part.
        calibration, profile, history, wrong, parts, candidates, findings: see their classes.
        profile_metric: what the profile's scores are, a key of `test`.
        validation_metric: what epochs and candidates are scored by.
        cross_validated: the `headline` metric of the same procedure inside the training part, out of fold.
        notices: more warnings of the caller's own; the usual ones are derived.
        split_origin: a sentence saying where the split came from.
        limits: more sentences for the list of limits.
        command: reproduces the run; `next_command`: offered at the end.
        provenance: of the source (licence, revision, digest ...); `environment`: versions and machine.
        created: date and time, as text.
    """

    run: str
    source: str
    modality: Kind
    metrics: Mapping[str, Any]
    classes: tuple[str, ...] = ()
    confusion: np.ndarray | None = None
    task: str = "classification"
    labels: tuple[LabelLike, ...] = ()
    values: np.ndarray | None = None
    source_name: str = ""
    target: str = "label"
    group: str | None = None
    n_groups: int | None = None
    head: str = "linear head"
    all_stages: tuple[str, ...] = ()
    trained_stages: tuple[str, ...] = ()
    n_folds: int = 0
    calibration: tuple[CalibrationBin, ...] = ()
    profile: tuple[ProfilePoint, ...] = ()
    profile_metric: str = "accuracy"
    validation_metric: str = "accuracy"
    history: tuple[HistoryPoint, ...] = ()
    wrong: tuple[WrongItem, ...] = ()
    findings: tuple[FindingLike, ...] = ()
    parts: tuple[SplitPart, ...] = ()
    split_origin: str = ""
    candidates: tuple[Candidate, ...] = ()
    cross_validated: Score | None = None
    notices: tuple[Notice, ...] = ()
    limits: tuple[str, ...] = ()
    command: str = ""
    next_command: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    created: str = ""

    @property
    def name_of_source(self) -> str:
        """The source's short name: the last part of its URI, unless one was given."""
        return self.source_name or self.source.rstrip("/").rsplit("/", 1)[-1].split(":", 1)[-1]

    @property
    def headline(self) -> str:
        """The metric that leads the report: accuracy for classes, mean average precision for labels, R2."""
        test = self.metrics.get("test", {})
        return next((key for key in ("accuracy", "mean_average_precision") if key in test), "r2")

    @property
    def head_stages(self) -> tuple[str, ...]:
        """The stages whose features the head reads."""
        return tuple(self.metrics.get("chosen", {}).get("head_stages", ()))

    @property
    def policy(self) -> str:
        """The freeze policy, as the user writes it."""
        return str(self.metrics.get("chosen", {}).get("policy", ""))

    def score(self, metric: str) -> Score | None:
        """The held-out score of a metric, or None."""
        return Score.of(self.metrics.get("test", {}).get(metric))

    def baseline(self, name: str, metric: str) -> Score | None:
        """A baseline's held-out score of a metric, or None."""
        return Score.of(self.metrics.get("baselines", {}).get(name, {}).get(metric))

    def count(self, key: str) -> int:
        """`n_train`, `n_validation` or `n_test` of the metrics, 0 when absent."""
        return int(self.metrics.get(key) or 0)
