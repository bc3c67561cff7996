"""metrics.json: the record of a run, checked when it is written and when it is read.

Every score is an interval {"value", "low", "high"} of 95%. A number that is not defined (an AUROC with one
class in the held-out part) is null. Keys that this version does not know are kept as they are.

A run has a kind, and `run_kinds` says what each kind's record holds. Writing is strict: everything that this version
knows must be there. Reading is lenient: only what every version wrote must be there, so that a run stays
readable after a metric or a block was added.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headstart.errors import HeadstartError, InputError
from headstart.evidence.verdict import Verdict
from headstart.files import plain
from headstart.metrics import VERIFICATION, Interval, metrics_of
from headstart.run_files import FORMAT_VERSION, check_version
from headstart.run_kinds import RUN_KINDS
from headstart.runs.facts import DataFacts, SourceFacts
from headstart.tasks import CLASSIFICATION, TASKS

OUTCOMES = ("positive", "negative", "undecided")
RETURNED_IN_FOLDS = "returned_in_folds"  # key of metrics.json
_COUNTS = ("n_train", "n_validation", "n_test")

Scores = Mapping[str, Interval]


@dataclass(frozen=True)
class Chosen:
    """What was chosen.

    Attributes:
        policy: what was frozen in the result.
        cut: the number of frozen stages.
        head_stages: names of the stages that the head reads.
        trained_stages: names of the stages whose weights were trained; empty for the head alone.
        head: kind of the head, in a word.
        from_scratch: whether the network was trained from random weights, without what the source has learned.
        classical: whether classical features were returned in the place of the network; no stage is read then.
    """

    policy: str
    cut: int
    head_stages: tuple[str, ...]
    trained_stages: tuple[str, ...] = ()
    head: str = "linear"
    from_scratch: bool = False
    classical: bool = False


@dataclass(frozen=True)
class Record:
    """The content of metrics.json.

    Attributes:
        kind: the procedure that made the run; see `run_kinds`.
        source: the pretrained network that the run began from.
        data: the data set that the run learned from and was measured on.
        task: name of what was learned (see `headstart.tasks`).
        n_train, n_validation, n_test: number of items learned from, set aside for choices, and held out.
        test: scores on the held-out part by name.
        baselines: the same of `majority`, `classical`, `probe`, `scratch`, if measured.
        verdict: whether transfer helped.
        chosen: policy, cut and stages of the result.
        profile: stage name to the score of a probe there, in the order of the stages.
        verification: for a speaker target, `eer` and `min_dcf`; else None.
        best_epoch: the epoch whose weights training returned (0: before its first step); None without training.
        n_folds: folds of a cross-validation of the whole procedure; 0 for one held-out part.
        seconds: phase to seconds; `imports` is not part of `total`.
        peak_bytes: largest memory of the process.
        extra: other entries, kept at the top level of the file.
    """

    kind: str = "fit"
    source: SourceFacts | None = None
    data: DataFacts | None = None
    task: str | None = None
    n_train: int | None = None
    n_validation: int | None = None
    n_test: int | None = None
    test: Scores | None = None
    baselines: Mapping[str, Scores] | None = None
    verdict: Verdict | None = None
    chosen: Chosen | None = None
    profile: Mapping[str, float] | None = None
    verification: Scores | None = None
    best_epoch: int | None = None
    n_folds: int | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    peak_bytes: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        fault = _fault(self)
        if fault:
            raise HeadstartError(f"metrics.json would be wrong: {fault}")

    @property
    def returned_in_folds(self) -> Mapping[str, int]:
        """In how many folds a `pretrained` result, `classical` features or the network from `scratch` were returned."""
        found: Mapping[str, int] = self.extra.get(RETURNED_IN_FOLDS) or {}
        return found

    @property
    def scores_are_of_run(self) -> bool:
        """Whether each fold returned what the run holds; else the scores are of the whole procedure."""
        chosen = self.chosen
        held = "pretrained"
        if chosen is not None and (chosen.classical or chosen.from_scratch):
            held = "classical" if chosen.classical else "scratch"
        return set(self.returned_in_folds) <= {held}

    @property
    def scores_are_of_transfer(self) -> bool:
        """Whether what was scored came from pretrained weights throughout: the run, and in each fold."""
        other = self.chosen is not None and (self.chosen.from_scratch or self.chosen.classical)
        return not other and set(self.returned_in_folds) <= {"pretrained"}

    @property
    def policy(self) -> str:
        """The freeze policy of the result; "" for a kind of run that has none."""
        return "" if self.chosen is None else self.chosen.policy

    def to_json(self) -> dict[str, Any]:
        """The content of metrics.json; what the run's kind does not have is left out."""
        content: dict[str, Any] = {
            "format_version": self.format_version,
            "kind": self.kind,
            "source": None if self.source is None else dataclasses.asdict(self.source),
            "data": None if self.data is None else dataclasses.asdict(self.data),
            "task": self.task,
            **{name: getattr(self, name) for name in _COUNTS},
            "test": _scores_json(self.test),
            "baselines": None
            if self.baselines is None
            else {name: _scores_json(scores) for name, scores in self.baselines.items()},
            **_verdict_json(self.verdict),
            "chosen": None if self.chosen is None else dataclasses.asdict(self.chosen),
            "profile": None if self.profile is None else dict(self.profile),
            "seconds": dict(self.seconds),
            "peak_bytes": self.peak_bytes,
            "best_epoch": self.best_epoch,
            "n_folds": self.n_folds,
            "verification": _scores_json(self.verification),
        }
        known = {name: value for name, value in content.items() if value is not None}
        result: dict[str, Any] = plain({**self.extra, **known})
        return result

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: str = "metrics.json") -> Record:
        """Read the content of metrics.json.

        Raises:
            InputError: something that every version wrote is missing or wrong, or a newer headstart wrote it.
        """
        check_version(content, where)
        kind = str(content.get("kind", "fit"))
        known = RUN_KINDS.get(kind)
        missing = [name for name in (known.always if known else ()) if name not in content]
        if missing:
            raise InputError(f"{where} has no '{missing[0]}'; make the run again")
        try:
            return _read(dict(content))
        except Exception as error:  # a damaged value can fail anywhere, also in the checks of a record
            raise InputError(f"{where} is damaged ({error}); make the run again") from None


def check_complete(record: Record) -> None:
    """Refuse to write a record that lacks what this version writes for its kind.

    Raises:
        HeadstartError: an internal error; the message names what is missing.
    """
    if record.kind not in RUN_KINDS:
        raise HeadstartError(f"the kind of a run must be one of {', '.join(RUN_KINDS)}, got {record.kind!r}")
    kind = RUN_KINDS[record.kind]
    missing = [name for name in (*kind.always, *kind.now) if getattr(record, name) is None]
    if record.test is not None and record.task is not None:
        needed = [metric.key for metric in metrics_of(record.task) if metric.required]
        missing += [f"test.{name}" for name in needed if name not in record.test]
    if record.verification is not None:
        missing += [f"verification.{name}" for name in VERIFICATION if name not in record.verification]
    missing += [f"seconds.{name}" for name in ("imports", "total") if name not in record.seconds]
    if missing:
        raise HeadstartError(f"metrics.json of a {record.kind} would lack {', '.join(missing)}")


def _read(rest: dict[str, Any]) -> Record:
    """A record from known keys; the other keys of `rest` become its `extra`."""
    kind = rest.pop("kind", "fit")
    source, data, chosen = (rest.pop(name, None) for name in ("source", "data", "chosen"))
    test, verification = (_scores(rest.pop(name, None)) for name in ("test", "verification"))
    baselines = rest.pop("baselines", None)
    verdict = _verdict(rest.pop("verdict", None), rest.pop("verdict_evidence", None) or {})
    names = (*_COUNTS, "profile", "best_epoch", "n_folds", "format_version")
    same = {name: rest.pop(name) for name in names if name in rest}
    return Record(
        kind=kind,
        source=None if source is None else SourceFacts.from_json(source),
        data=None if data is None else DataFacts.from_json(data),
        # the first versions had only classification
        task=rest.pop("task", CLASSIFICATION.name if kind == "fit" else None),
        test=test,
        verification=verification,
        baselines=None
        if baselines is None
        else {name: _scores(found) or {} for name, found in baselines.items()},
        chosen=None if chosen is None else _chosen(chosen),
        verdict=verdict,
        seconds=rest.pop("seconds", {}),
        peak_bytes=rest.pop("peak_bytes", 0),
        **same,
        extra=rest,
    )


def _scores(content: Mapping[str, Any] | None) -> dict[str, Interval] | None:
    return None if content is None else {name: Interval.of(score) for name, score in content.items()}


def _scores_json(scores: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if scores is None else {name: Interval.of(score).to_json() for name, score in scores.items()}


def _chosen(content: Mapping[str, Any]) -> Chosen:
    trained = tuple(content.get("trained_stages", ()))
    stages, head = tuple(content["head_stages"]), content.get("head", "linear")
    from_scratch, classical = (bool(content.get(name, False)) for name in ("from_scratch", "classical"))
    return Chosen(content["policy"], content["cut"], stages, trained, head, from_scratch, classical)


def _verdict(outcome: Any, evidence: Mapping[str, Any]) -> Verdict | None:
    if outcome is None:
        return None
    difference = Interval.of(evidence.get("difference"))
    against, metric = evidence.get("against", ""), evidence.get("metric", "accuracy")
    return Verdict(outcome, against, difference, evidence.get("reason", ""), metric)


def _verdict_json(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {}
    evidence = {
        "against": verdict.against,
        "metric": verdict.metric,
        "difference": Interval.of(verdict.difference).to_json(),
        "reason": verdict.reason,
    }
    return {"verdict": verdict.outcome, "verdict_evidence": evidence}


def _fault(record: Record) -> str:
    """What is wrong with the values that are present; "" if nothing is."""
    for name in (*_COUNTS, "n_folds", "best_epoch", "peak_bytes"):
        count = getattr(record, name)
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
            return f"{name} must be a whole number of at least 0, got {count!r}"
    for name in ("profile", "seconds"):
        values = getattr(record, name)
        if not isinstance(values, Mapping) and not (name == "profile" and values is None):
            return f"{name} must hold numbers by name, got {values!r}"
    if record.task is not None and record.task not in TASKS:
        return f"task must be one of {', '.join(TASKS)}, got {record.task!r}"
    if record.verdict is not None and record.verdict.outcome not in OUTCOMES:
        return f"verdict must be one of {', '.join(OUTCOMES)}, got {record.verdict.outcome!r}"
    repeated = [name for name in record.extra if name in {item.name for item in dataclasses.fields(record)}]
    return f"extra repeats {', '.join(repeated)}" if repeated else ""
