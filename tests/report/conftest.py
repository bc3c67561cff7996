"""Sample runs for the report's tests: simulated predictions, on generated items unless real data is given."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.choose import ProfileRow
from headstart.data import Finding
from headstart.evidence import Shift, Verdict
from headstart.metrics import Interval, calibration_bins
from headstart.report.pages.fit import FitReport, HeldOut
from headstart.runs import Chosen, DataFacts, Record, RunFacts, SourceFacts, SplitPart
from headstart.tune import CandidateResult
from headstart.tune.race.study import Outcome

from .reading import browser, reader  # noqa: F401 (fixtures)


def simulated(
    n_items: int, classes: tuple[str, ...], skill: float, labels: list[str] | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n_items,) and overconfident probabilities (n_items, C) of a classifier of some skill."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(len(classes), size=n_items)
    if labels is not None:
        truth = np.array([classes.index(label) for label in labels])
    logits = rng.normal(size=(n_items, len(classes)))
    logits[np.arange(n_items), truth] += skill
    logits *= 2.4
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.array(classes, dtype=object)[truth], odds / odds.sum(axis=1, keepdims=True)


def with_interval(value: float, n_items: int, form: float = 1.0) -> Interval:
    half = 1.96 * np.sqrt(max(value * (form - value), 0.004) / n_items)
    return Interval(value, max(0.0, value - half), min(form, value + half))


def sample(
    modality: Any, items: list[Any], names: list[str], classes: tuple[str, ...], skill: float, **more: Any
) -> FitReport:
    """A run on simulated predictions for the items."""
    labels, probabilities = simulated(len(items), classes, skill, more.pop("labels", None), seed=4)
    truth = np.array([classes.index(label) for label in labels])
    bins = calibration_bins(truth, probabilities)
    accuracy, n_items = float((probabilities.argmax(axis=1) == truth).mean()), len(items)
    ece = sum(b.n_items * abs(b.accuracy - b.confidence) for b in bins) / n_items
    test = {name: with_interval(accuracy - lost, n_items) for name, lost in
            (("accuracy", 0.0), ("balanced_accuracy", 0.004), ("macro_f1", 0.007))}  # fmt: skip
    test["auroc"] = with_interval(min(0.995, accuracy + 0.18), n_items)
    test["log_loss"] = with_interval(0.42, n_items, 2.0)
    test["calibration_error"] = with_interval(ece, n_items)
    majority = max(Counter(labels).values()) / n_items
    classical = more.pop("classical", accuracy - 0.06)
    gap = accuracy - classical
    half = 0.03
    outcome: Any = "positive" if gap > half else "negative" if gap < -half else "undecided"
    stages, counts = more.pop("stages"), Counter(labels)
    group, n_groups = more.pop("group", None), more.pop("n_groups", None)
    record = Record(
        source=SourceFacts(more.pop("source"), "3f1c0d5be9a0cd4e17b6a5", "net", 2_223_872, stages,
                           **more.pop("provenance", {})),
        data=DataFacts("data/items", "ab" * 32, modality, more.pop("target", "label"),
                       {"train": 3 * n_items, "test": n_items}, len(classes), group, n_groups),
        task="classification",
        n_train=3 * n_items,
        n_validation=0,
        n_test=n_items,
        n_folds=0,
        test=test,
        baselines={
            "majority": {"accuracy": with_interval(majority, n_items)},
            "classical": {"accuracy": with_interval(classical, n_items)},
            "probe": {"accuracy": with_interval(accuracy - 0.004, n_items)},
        },
        verdict=Verdict(outcome, "classical", Interval(gap, gap - half, gap + half), "", "accuracy"),
        chosen=Chosen("all", len(stages), (stages[more.pop("best")],)),
        seconds={"imports": 4.1, "data": 0.9, "source": 0.4, "features": 11.8, "head": 2.2,
                 "baseline": 3.9, "evaluate": 0.7, "export": 3.1, "total": 23.0},
        peak_bytes=912_000_000,
        extra={"baselines_difference": {"classical": {"value": gap, "low": gap - half, "high": gap + half}}},
    )  # fmt: skip
    record = replace(record, **more.pop("record", {}))
    parts = (
        SplitPart("train", 3 * n_items, more.pop("train_groups", None), {c: 3 * counts[c] for c in classes}),
        SplitPart("test", n_items, more.pop("test_groups", None), dict(counts)),
    )
    facts = RunFacts(
        more.pop("run"),
        "headstart fit data/items",
        classes,
        parts,
        created="24 November 2026, 14:40",
        **{name: more.pop(name) for name in ("split_origin", "findings", "environment") if name in more},
    )
    held_out = HeldOut(items, names, list(labels), truth, probabilities)
    return FitReport(record, facts, held_out, **more)


def profile(stages: tuple[str, ...], scores: list[float]) -> tuple[ProfileRow, ...]:
    return tuple(
        ProfileRow(s, k, v, v - 0.025, min(1.0, v + 0.022), 0.012, 1.0)
        for k, (s, v) in enumerate(zip(stages, scores, strict=True))
    )


ENVIRONMENT = {
    "headstart": "0.1.0",
    "Python": "3.11.2",
    "torch": "2.14.1",
    "Machine": "x86_64, 2 cores, bf16",
}


def image_sample(data: Path | None, folder: Path) -> FitReport:
    """Chest X-rays with a shifted held-out part."""
    found = sorted((data / "chest_xray" / "test").rglob("*.jp*g")) if data else _drawn(folder)
    stages = ("stem", *(f"blocks.{k}" for k in range(7)))
    return sample(
        "image", list(found), ["/".join(p.parts[-3:]) for p in found], ("normal", "pneumonia"), 1.1,
        labels=[p.parent.name for p in found] if data else None,
        run="runs/xray", source="timm:mobilenetv2_100.tf2_ptq_in1k",
        stages=stages, best=6, group="patient", n_groups=981, train_groups=581, test_groups=400,
        profile=profile(stages, [0.71, 0.79, 0.84, 0.88, 0.905, 0.931, 0.944, 0.938]),
        shift=Shift(0.936, 0.861, Interval(-0.075, -0.11, -0.04)),
        findings=(
            Finding("duplicates", "warning", "3 groups of exact duplicates inside train.",
                    ("train/normal/IM-0115-0001.jpeg", "train/normal/IM-0117-0001.jpeg"), 6),
            Finding("counts", "note", "normal and pneumonia have 600 items each."),
        ),
        split_origin="The split was given by the folders train and test; no patient is in both.",
        next_command="headstart fit ../shared/data/chest_xray --freeze auto --budget 5m --out runs/xray",
        provenance={"licence": "Apache-2.0", "upstream": "ImageNet-1k"},
        environment=ENVIRONMENT,
    )  # fmt: skip


def text_sample(data: Path | None, n_items: int = 600) -> FitReport:
    """Film reviews, with a fine-tuned suffix, a learning history and candidates."""
    if data:
        with (data / "sst2" / "sst2.csv").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == "test"][:n_items]
        texts, labels = [row["text"] for row in rows], [row["label"] for row in rows]
    else:
        labels = None
        texts = [
            f"a film about the number {k} , neither short nor long , and oddly moving ."
            for k in range(n_items)
        ]
    stages = ("embeddings", *(f"layer.{k}" for k in range(6)))
    history = [
        {
            "epoch": k,
            "train_loss": 0.62 * 0.78**k + 0.11,
            "validation_loss": 0.55 * 0.80**k + 0.24 + 0.012 * max(0, k - 5) ** 1.4,
            "validation_accuracy": 0.88 - 0.17 * 0.62**k - 0.004 * max(0, k - 6),
            "lr": 1e-4,
            "seconds": 6.4,
        }
        for k in range(1, 11)
    ]
    report = sample(
        "text", texts, [f"row {k + 7794}" for k in range(len(texts))], ("negative", "positive"), 1.9,
        labels=labels,
        run="runs/sst2", source="hf:intfloat/multilingual-e5-small",
        stages=stages, best=6, history=history,
        profile=profile(stages, [0.661, 0.702, 0.748, 0.771, 0.799, 0.812, 0.818]),
        candidates=tried(),
        split_origin="The column split has train, dev and test; dev is validation.",
        findings=(Finding("leak", "warning", "3 texts are in train and in test with the same label.",
                          ("row 112 and row 8021: “no. .”", "row 3 and row 9001: “cool .”"), 3),),
        environment=ENVIRONMENT,
        provenance={"licence": "Apache-2.0"},
    )  # fmt: skip
    rows = [
        {"stage": name, "n_parameters": 1_774_464, "fate": "frozen", "trains": False} for name in stages[:4]
    ]
    rows += [
        {"stage": name, "n_parameters": 1_774_464, "fate": "trained at 8.1e-05", "trains": True}
        for name in stages[4:]
    ]
    rows.append({"stage": "head", "n_parameters": None, "fate": "trained at 0.0001", "trains": True})
    rates = [10 ** (-7 + k / 8) for k in range(41)]
    search = {
        "rates": rates,
        "losses": [0.5 - 0.2 / (1 + (1e-4 / rate)) + (30 * rate) ** 2 for rate in rates],
        "suggestion": 8.1e-5,
        "reason": "where the loss falls fastest",
    }
    record = replace(
        report.record,
        chosen=Chosen("until:layer.2", 4, ("layer.5",), stages[4:]),
        best_epoch=7,
        extra={"stages": rows, "rate_search": search},
    )
    return replace(report, record=record)


def tried() -> tuple[CandidateResult, ...]:
    """What a race tried."""
    return (
        CandidateResult(
            "all", Outcome.HEAD_ALONE, "head on stored features", seconds=9.8, accuracy=0.817, name="all"
        ),
        CandidateResult(
            "until:layer.2",
            Outcome.BETTER,
            "",
            seconds=64.0,
            accuracy=0.861,
            name="until:layer.2",
            chosen=True,
        ),
        CandidateResult(
            "none", Outcome.PUT_ASIDE, "stopped by the budget", seconds=171.0, accuracy=0.855, name="none"
        ),
        CandidateResult("first:1", Outcome.NO_TIME, "left out: no time", name="first:1"),
    )


def audio_sample(data: Path | None, folder: Path) -> FitReport:
    """Ten speakers by a Whisper encoder, where the classical baseline does better."""
    speakers = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
    found = sorted((data / "emodb" / "audio").glob("*.flac"))[:535] if data else _sung(folder)
    stages = tuple(f"layer.{k}" for k in range(5))
    return sample(
        "audio", list(found), [f"audio/{p.name}" for p in found], speakers, 3.3,
        labels=[p.name[:2] for p in found] if data else None,
        run="runs/speakers", source="../shared/weights/whisper-tiny.en-encoder", target="speaker",
        group="sentence", n_groups=10, stages=stages, best=1, classical=0.972,
        profile=profile(stages, [0.929, 0.955, 0.927, 0.736, 0.486]),
        record={"n_train": len(found), "n_folds": 10, "verification": {
            "eer": Interval(0.357, 0.34, 0.374), "min_dcf": Interval(0.998, 0.995, 1.0)}},
        split_origin="No split was given: 10-fold cross-validation by sentence.",
        environment=ENVIRONMENT,
    )  # fmt: skip


def many_sample() -> FitReport:
    """Sixty classes, so that the confusion matrix is drawn as squares."""
    classes = tuple(f"species number {k}" for k in range(60))
    stages = tuple(f"blocks.{k}" for k in range(24))
    texts = [f"text {k}" for k in range(900)]
    return sample(
        "text", texts, [f"row {k + 1}" for k in range(900)], classes, 3.6, run="runs/many", source="hf:a/b",
        stages=stages, best=20, profile=profile(stages, [0.3 + 0.55 * (1 - 0.86**k) for k in range(24)]),
    )  # fmt: skip


def _drawn(folder: Path) -> list[Path]:
    from PIL import Image

    rng = np.random.default_rng(0)
    paths = []
    for k in range(200):
        y, x = np.mgrid[0:128, 0:128] / 128
        waves = 127 + 90 * np.sin(9 * x * rng.normal() + rng.normal()) * np.cos(7 * y * rng.normal())
        paths.append(folder / f"test_{k:03d}.jpg")
        Image.fromarray((waves + rng.normal(0, 12, waves.shape)).clip(0, 255).astype(np.uint8)).save(
            paths[-1]
        )
    return paths


def _sung(folder: Path) -> list[Path]:
    import soundfile

    rng = np.random.default_rng(0)
    paths = []
    for k in range(200):
        t = np.arange(16_000) / 16_000
        voice = np.sin(2 * np.pi * (110 + 3 * k) * t) * np.sin(np.pi * t) ** 2 * (1 + 0.4 * np.sin(23 * t))
        paths.append(folder / f"clip_{k:03d}.flac")
        soundfile.write(paths[-1], 0.4 * voice + 0.02 * rng.normal(size=t.size), 16_000)
    return paths


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FitReport]:
    """A run of each modality on generated items, and one of sixty classes."""
    folder = tmp_path_factory.mktemp("items")
    return {
        "image": image_sample(None, folder),
        "text": text_sample(None),
        "audio": audio_sample(None, folder),
        "many": many_sample(),
    }
