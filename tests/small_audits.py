"""Audits made on the spot, to look at and to test the report with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.auditing.sentence import sentence
from headstart.metrics import Interval
from headstart.report.pages.audit import AuditReport
from headstart.runs import DataFacts, Record, RunFacts, SourceFacts, SplitPart
from headstart.runs.audit import AuditFacts, Curve, Fitted, Point, Saved, SizeVerdict

SIZES = (20, 37, 70, 130, 244)
FOLDER = "/home/someone/projects/pretrained/weights/image/mobile"
SOURCE = f"{FOLDER}/network_0.of_some_training"
STARTS = {"classical": 0.60, "random": 0.55, "scratch": 0.52, "majority": 0.46}
GIVEN = {
    "classical": "classical features, a linear head",
    "random": "the same network with random weights, untrained: a head on its features",
    "scratch": "3 rates of up to 40 epochs were tried",
    "majority": "always answers with the most frequent class",
}


def around(value: float, half: float, *, share: bool = True) -> Interval:
    low, high = value - half, value + half
    return Interval(value, max(0.0, low), min(1.0, high)) if share else Interval(value, low, high)


def curve(
    name: str, role: Any, start: float, *, rise: float = 0.1, fit: bool = True, seconds: float = 0.05
) -> Curve:
    """A curve that rises with the logarithm of the number of labels."""
    spread = np.log(SIZES[-1] / SIZES[0])

    def at(n_labels: float) -> float:
        return float(start + rise * np.log(n_labels / SIZES[0]) / spread)

    points = tuple(
        Point(size, float(size), around(at(size), 0.06), at(size) - 0.01, seconds * size, 5) for size in SIZES
    )
    places = np.geomspace(SIZES[0], 2 * SIZES[-1], 12).tolist()
    values = [min(1.0, at(place)) for place in places]
    fitted = Fitted(
        tuple(places),
        tuple(values),
        tuple(v - 0.04 for v in values),
        tuple(min(1.0, v + 0.03) for v in values),
    )
    return Curve(
        name, role, points, GIVEN.get(role, "a head on its stored features"), fitted if fit else None
    )


def compared(curves: Sequence[Curve], size: int, half: float, outcome: Any) -> SizeVerdict:
    """The verdict with one number of labels, against the classical features."""
    scores = {each.name: next(float(p.score) for p in each.points if p.n_labels == size) for each in curves}
    own = scores.pop(curves[0].name)
    gains = {
        each.name: around(own - scores[each.name], half, share=False)
        for each in curves[1:]
        if each.role != "source"
    }
    needs = "if the difference is what it seems, about 15 seeds would decide it (--seeds 15)"
    return SizeVerdict(
        size,
        outcome,
        "classical",
        gains["classical"],
        0.0004,
        gains,
        needs if outcome == "undecided" else "",
    )


def saved_at(
    against: str, n_labels: float, *, bound: Any = "", seconds: float = 2.0, ours: float = 6.0
) -> Saved:
    """What is saved against a method, whose interval spans a factor of two."""
    low, high = max(SIZES[0], n_labels / 1.4), n_labels * 1.4
    return Saved(
        against,
        0.707,
        SIZES[-1],
        Interval(n_labels, low, high),
        Interval(SIZES[-1] / n_labels, SIZES[-1] / high, SIZES[-1] / low),
        seconds,
        Interval(ours, ours / 1.4, ours * 1.4),
        Interval(seconds / ours, seconds / ours / 1.4, seconds / ours * 1.4),
        bound,
    )


def audit_report(
    roles: Sequence[str] = ("classical", "majority"),
    *,
    outcome: Any = "positive",
    start: float = 0.85,
    n_others: int = 0,
    half: float = 0.04,
    **changes: Any,
) -> AuditReport:
    """The report of an audit.

    Args:
        roles: of the baselines.
        outcome: of every verdict.
        start: score of transfer with the fewest labels.
        n_others: other sources.
        half: half the width of the intervals of the differences.
        changes: of the facts.
    """
    transfer = curve(SOURCE, "transfer", start)
    others = [
        curve(f"{FOLDER}/network_{k + 1}.of_some_other_training", "source", start - 0.02 * (k + 1))
        for k in range(n_others)
    ]
    baselines = [curve(role, role, STARTS[role], fit=role != "majority", seconds=0.01) for role in roles]
    curves = [transfer, *others, *baselines]
    facts: dict[str, Any] = {
        "metric": "accuracy",
        "source": SOURCE,
        "sentence": "",
        "curves": curves,
        "verdicts": [compared(curves, size, half, outcome) for size in SIZES],
        "saved": {role: saved_at(role, 20, bound="at least") for role in roles if role != "majority"},
        "others": {
            each.name: [
                SizeVerdict(size, "positive", each.name, Interval(0.02, 0.01, 0.03), 0.003) for size in SIZES
            ]
            for each in others
        },
        "n_seeds": 5,
        "n_train": SIZES[-1],
        "n_held_out": 153,
        "n_units": 153,
    }
    found = AuditFacts(**{**facts, **changes})
    if not found.sentence:
        found = AuditFacts(**{**vars(found), "sentence": sentence(found)})
    return reported(found)


def reported(facts: AuditFacts, task: str = "classification") -> AuditReport:
    """The report of these facts."""
    data = DataFacts("data/photos", "ab" * 32, "image", "label", {"train": 244, "test": 153}, 2)
    record = Record(
        kind="audit",
        source=SourceFacts(facts.source, "3f1c0d5be9a0cd4e17b6a5", "net", 2_223_872, ("stem", "blocks.0")),
        data=data,
        task=task,
        n_train=facts.n_train,
        n_test=facts.n_held_out,
        seconds={"imports": 2.6, "data": 0.4, "source": 0.3, "timing": 0.5, "features": 6.1, "head": 3.4,
                 "baseline": 1.2, "total": 12.0},
        peak_bytes=712_000_000,
    )  # fmt: skip
    run = RunFacts(
        "runs/photos-audit",
        f"headstart audit data/photos --source {facts.source}",
        ("ants", "bees"),
        (
            SplitPart("train", 244, None, {"ants": 123, "bees": 121}),
            SplitPart("test", 153, None, {"ants": 70, "bees": 83}),
        ),
        "The split was given by the folders train and val.",
        environment={"headstart": "0.1.0", "torch": "2.14.1"},
        created="2026-11-30 00:10",
    )
    command = (
        f"headstart fit data/photos --source {facts.source}" if facts.final.outcome == "positive" else ""
    )
    return AuditReport(record, run, facts, command)


def with_everything() -> AuditReport:
    """Seven methods with long names, every kind of saving, warnings and notes."""
    saved = {
        "classical": saved_at("classical", 57, seconds=2.0, ours=7.8),
        "random": saved_at("random", 20, bound="at least", seconds=9.0, ours=1.2),
        "scratch": saved_at("scratch", 244, bound="not reached", seconds=240.0, ours=9.0),
    }
    return audit_report(
        ("random", "classical", "majority", "scratch"),
        n_others=2,
        outcome="undecided",
        start=0.61,
        saved=saved,
        warnings=("One seed: the numbers hold for one draw of the training items. Use --seeds 5.",),
        notes=(f"{FOLDER}/network_1.of_some_other_training was measured with 4 of 5 draws.",),
    )
