"""metrics.json: the numbers of a run, checked when written and when read.

Every score is an interval {"value", "low", "high"} of 95%. A number that could not be had (an AUROC with one
class in the held-out part) is null. Keys that this version does not know are kept as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from headstart.data.targets import TASKS
from headstart.errors import HeadstartError, InputError
from headstart.files import plain
from headstart.metrics import VERIFICATION, Interval, metrics_of

FORMAT_VERSION = 1
Outcome = Literal["positive", "negative", "undecided"]


Scores = Mapping[str, Interval]


@dataclass(frozen=True)
class Chosen:
    """What was chosen: the policy, the cut, the stages that the head reads."""

    policy: str
    cut: int
    head_stages: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """Whether transfer helped: the paired interval against the best baseline without pretrained weights.

    `difference` is the metric of the result less that of the baseline.
    """

    outcome: Outcome
    against: str = ""
    metric: str = "accuracy"
    difference: Interval = field(default_factory=lambda: Interval(None))


@dataclass(frozen=True)
class Metrics:
    """Everything in metrics.json.

    Attributes:
        n_train, n_validation, n_test: number of items of each part.
        test: scores on the held-out part by name.
        verification: for a speaker target, `eer` and `min_dcf`; else None.
        baselines: scores of `majority`, `classical`, `probe`, `scratch`, where run.
        profile: stage name to the score of a probe there, in the order of the stages.
        seconds: phase to seconds; `imports` stands apart and is not in `total`.
        peak_bytes: largest memory of the process.
        extra: other entries, kept at the top level of the file.
        task: "classification", "multilabel" or "regression".
    """

    n_train: int
    n_validation: int
    n_test: int
    test: Scores
    chosen: Chosen
    seconds: Mapping[str, float]
    peak_bytes: int
    verdict: Verdict
    baselines: Mapping[str, Scores] = field(default_factory=dict)
    profile: Mapping[str, float] = field(default_factory=dict)
    verification: Scores | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    task: str = "classification"
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        fault = _fault(self)
        if fault:
            raise HeadstartError(f"metrics.json would be wrong: {fault}")

    def to_json(self) -> dict[str, Any]:
        """The content of metrics.json."""
        verdict = dataclasses.asdict(self.verdict)
        content = {
            "format_version": self.format_version,
            "task": self.task,
            "n_train": self.n_train,
            "n_validation": self.n_validation,
            "n_test": self.n_test,
            "test": _scores_json(self.test),
            "baselines": {name: _scores_json(scores) for name, scores in self.baselines.items()},
            "verdict": verdict.pop("outcome"),
            "verdict_evidence": verdict,
            "chosen": dataclasses.asdict(self.chosen),
            "profile": dict(self.profile),
            "seconds": dict(self.seconds),
            "peak_bytes": self.peak_bytes,
        }
        if self.verification is not None:
            content["verification"] = _scores_json(self.verification)
        result: dict[str, Any] = plain({**self.extra, **content})
        return result

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: str = "metrics.json") -> Metrics:
        """Read and check the content of metrics.json.

        Raises:
            InputError: something is missing or wrong, or a newer headstart wrote it.
        """
        check_version(content, where)
        rest = dict(content)
        try:
            return cls(
                **{name: rest.pop(name) for name in ("format_version", "n_train", "n_validation", "n_test")},
                task=rest.pop("task", "classification"),
                test=_scores(rest.pop("test")),
                verification=_scores(rest.pop("verification")) if "verification" in rest else None,
                baselines={name: _scores(scores) for name, scores in rest.pop("baselines").items()},
                profile=rest.pop("profile"),
                chosen=_chosen(rest.pop("chosen")),
                seconds=rest.pop("seconds"),
                peak_bytes=rest.pop("peak_bytes"),
                verdict=_verdict(rest.pop("verdict"), rest.pop("verdict_evidence", {})),
                extra=rest,
            )
        except KeyError as error:
            raise InputError(f"{where} has no {error}; make the run again") from None
        except (TypeError, AttributeError, ValueError, HeadstartError) as error:
            raise InputError(f"{where} is damaged ({error}); make the run again") from None


def check_version(content: Any, where: str) -> None:
    """Refuse what is no metrics.json, and what a newer headstart wrote.

    Raises:
        InputError: with the remedy.
    """
    version = content.get("format_version") if isinstance(content, Mapping) else None
    if not isinstance(version, int):
        raise InputError(f"{where} has no format_version: it was not written by headstart")
    if version > FORMAT_VERSION:
        raise InputError(
            f"{where} was written by a newer headstart (format {version}; this one "
            f"reads up to {FORMAT_VERSION}): pip install --upgrade headstart"
        )


def _scores(content: Mapping[str, Any]) -> dict[str, Interval]:
    return {name: Interval.of(score) for name, score in content.items()}


def _scores_json(scores: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Interval.of(score).to_json() for name, score in scores.items()}


def _chosen(content: Mapping[str, Any]) -> Chosen:
    return Chosen(content["policy"], content["cut"], tuple(content["head_stages"]))


def _verdict(outcome: Outcome, evidence: Mapping[str, Any]) -> Verdict:
    difference = Interval.of(evidence.get("difference"))
    return Verdict(outcome, evidence.get("against", ""), evidence.get("metric", "accuracy"), difference)


def _fault(metrics: Metrics) -> str:
    counts = {name: getattr(metrics, name) for name in ("n_train", "n_validation", "n_test", "peak_bytes")}
    for name, count in counts.items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            return f"{name} must be a whole number of at least 0, got {count!r}"
    if metrics.task not in TASKS:
        return f"task must be one of {', '.join(TASKS)}, got {metrics.task!r}"
    needed = [metric.key for metric in metrics_of(metrics.task) if metric.required]
    missing = [name for name in needed if name not in metrics.test]
    if missing:
        return f"test lacks {', '.join(missing)}"
    if metrics.verification is not None and not set(VERIFICATION) <= set(metrics.verification):
        return f"verification must have {' and '.join(VERIFICATION)}"
    if metrics.verdict.outcome not in get_args(Outcome):
        return f"verdict must be one of {', '.join(get_args(Outcome))}, got {metrics.verdict.outcome!r}"
    if not {"imports", "total"} <= set(metrics.seconds):
        return "seconds must have imports and total beside the phases"
    wrong = [name for name in metrics.extra if name in {item.name for item in dataclasses.fields(metrics)}]
    return f"extra repeats {', '.join(wrong)}" if wrong else ""
