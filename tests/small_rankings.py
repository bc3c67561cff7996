"""Rankings made on the spot, to look at and to test the report with."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.data import Finding
from headstart.metrics import Interval
from headstart.report.pages.rank import RankReport
from headstart.runs import DataFacts, Record, RunFacts, SplitPart
from headstart.runs.ranking import DepthPoint, Ranked, RankingFacts

FOLDER = "/home/someone/projects/pretrained/weights/image/mobile"
UPSTREAM = (
    "classification, 1,000 classes of photographs from the web, by a network that was trained for 300 epochs with "
    "strong augmentation"
)

SCORES = (
    "probe",
    "probe_loss",
    "logme_scaled",
    "parc",
    "hscore",
    "nleep",
    "gbc",
    "sfda",
    "neighbours",
    "leep",
    "nce",
)


def ranked(place: int, n_sources: int, *, intervals: bool = True, **changes: Any) -> Ranked:
    """A source; the lower its place, the better."""
    value, n_stages = 0.97 - 0.4 * place / max(4, n_sources), 6 + place % 4
    steps = [value - 0.35 * (1 - (k + 1) / n_stages) for k in range(n_stages)]
    half = 0.04 if intervals else float("nan")
    stages = ("stem", *(f"blocks.{k}" for k in range(n_stages - 1)))
    behind = -0.4 * place / max(4, n_sources)
    found = {
        "name": f"{FOLDER}/network_{place}.of_some_training",
        "role": "source",
        "predicted": Interval(value, value - 0.05, min(1.0, value + 0.05))
        if intervals
        else Interval(value, why="2 units"),
        "places": (1 + max(0, place - 2), min(n_sources + 2, place + 3)) if intervals else (1, n_sources + 2),
        "difference": Interval(behind, behind - 0.06, behind + 0.06) if intervals else Interval(behind),
        "stages": (stages[-1 - place % 2],),
        "profile": tuple(
            DepthPoint(stage, score, score - half, min(1.0, score + half))
            for stage, score in zip(stages, steps)
        ),
        "milliseconds": 4.0 * 1.37 ** ((place * 5) % 11),
        "megabytes": 8.9 * (1 + place % 5),
        "upstream": UPSTREAM if place % 3 == 0 else None if place % 3 == 1 else "classification, 965 classes",
    }
    return Ranked(**{**found, **changes})  # type: ignore[arg-type]


def baselines(n_sources: int, first: str, *, intervals: bool = True) -> list[Ranked]:
    """Classical features, and the first source's network with random weights."""
    last = (n_sources + 1, n_sources + 2) if intervals else (1, n_sources + 2)

    def score(value: float, half: float) -> Interval:
        return Interval(value, value - half, value + half) if intervals else Interval(value)

    return [
        Ranked("classical features", "classical", score(0.66, 0.08), last, score(-0.31, 0.1)),
        Ranked(
            f"{first}, random weights", "random", score(0.61, 0.09), last, score(-0.36, 0.11), ("blocks.4",),
            milliseconds=4.0, megabytes=8.9,
        ),
    ]  # fmt: skip


def ranking_report(n_sources: int = 7, *, intervals: bool = True, **changes: Any) -> RankReport:
    """The report of a ranking of this many sources.

    Args:
        n_sources: number of sources.
        intervals: whether there are enough items for intervals.
        changes: of the ranking's facts.
    """
    sources = [ranked(place, n_sources, intervals=intervals) for place in range(n_sources)]
    rows = [*sources, *baselines(n_sources, sources[0].name, intervals=intervals)]
    facts = {
        "metric": "accuracy",
        "ranked": rows,
        "failed": {},
        "advice": f"Start from {sources[0].name}; 2 other sources cannot be told apart from it, and {sources[-1].name} "
        "is 2.1 times as fast.",
        "n_items": 244,
        "n_held_out": 153,
    }
    found = RankingFacts(**{**facts, **changes})  # type: ignore[arg-type]
    data = DataFacts("data/photos", "ab" * 32, "image", "label", {"train": 244, "test": 153}, 2)
    record = Record(
        kind="rank",
        data=data,
        task="classification",
        n_train=244,
        n_test=153,
        seconds={"imports": 4.0, "data": 0.4, "source": 1.1, "features": 17.0, "head": 3.1, "baseline": 4.2,
                 "total": 25.8},
        peak_bytes=912_000_000,
    )  # fmt: skip
    run_facts = RunFacts(
        "runs/photos-ranking",
        f"headstart rank data/photos {' '.join(each.name for each in sources)}",
        ("ants", "bees"),
        (
            SplitPart("train", 244, None, {"ants": 123, "bees": 121}),
            SplitPart("test", 153, None, {"ants": 70, "bees": 83}),
        ),
        "The split was given by the folders train and val.",
        (Finding("counts", "note", "ants and bees have 193 and 204 items."),),
        environment={"headstart": "0.1.0", "torch": "2.14.1"},
        created="2026-11-29 20:10",
    )
    return RankReport(record, run_facts, found, f"headstart fit data/photos --source {sources[0].name}")


def with_everything() -> RankReport:
    """25 sources with everything that can be said of one: failed, worse than a baseline, the same, with scores."""
    report, rng = ranking_report(25), np.random.default_rng(0)
    first = report.first.name
    rows = []
    for place, each in enumerate(report.ranking.ranked):
        if each.role == "source":
            scores = {name: float(rng.normal()) for name in SCORES}
            changes: dict[str, Any] = {"scores": scores, "advised_cut": 1 + place % 5}
            if place == 3:
                changes |= {"stages": ("blocks.1", "blocks.3", "blocks.6")}
            if place == 5:
                changes |= {"same_as": (f"{FOLDER}/network_5.half_precision",)}
            if 17 <= place < 21:
                changes |= {"unclear": ("classical features",)}
            if place >= 21:
                changes |= {
                    "not_better_than": {"classical features": place > 22, f"{first}, random weights": False}
                }
            each = Ranked(**{**vars(each), **changes})
        rows.append(each)
    failed = {
        "timm:resnet50.a1_in1k": "the folder has no model.safetensors: 'timm:resnet50.a1_in1k' is not in the cache of "
        "this machine, and the hub cannot be reached.",
        "../weights/whisper-tiny.en-encoder": "it reads audio, the data are images.",
    }
    return ranking_report(
        25, ranked=rows, failed=failed, warnings=("The ranking was stopped before it was complete.",)
    )
