"""Reports of calibrations, made from simulated probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, softmax

from headstart.calibrating.choosing import choose
from headstart.metrics import Units
from headstart.report.items.report import HeldOut
from headstart.report.pages.calibrate import CalibrateReport
from headstart.runs import Chosen, DataFacts, Record, RunFacts, SourceFacts, SplitPart
from headstart.runs.calibration import CalibrationFacts, CandidateRow
from headstart.tasks import task_named

CLASSES = ("normal", "pneumonia", "no finding <b>at all</b>")


def simulated(task: str, n_items: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Overconfident probabilities of shape (N, 3), and the truth: classes of other shares, or labels."""
    rng = np.random.default_rng(seed)
    scores = 1.5 * rng.normal(size=(n_items, 3))
    if task == "multilabel":
        y = (rng.random(scores.shape) < expit(scores)).astype(np.float32)
        return expit(3 * scores).astype(np.float32), y
    p = softmax(scores + np.array([2.0, 0.0, -1.0]), axis=1)
    y = np.minimum((p.cumsum(axis=1) < rng.random((n_items, 1))).sum(axis=1), 2)
    return softmax(2 * scores, axis=1).astype(np.float32), y


def calibrate_report(task: str = "classification", n_items: int = 240, **more: Any) -> CalibrateReport:
    """The report of a calibration that makes a correction.

    Args:
        task: "classification" or "multilabel".
        n_items: number of new items.
        **more: other fields of CalibrationFacts.
    """
    kind, (outputs, y) = task_named(task), simulated(task, n_items)
    units = Units.of(None, n_items)
    chosen = choose(kind, outputs, y, units).chosen
    assert chosen is not None
    found = CalibrationFacts(
        **{
            "run": "runs/xray",
            "outcome": "corrected",
            "sentence": "The probabilities are corrected.",
            "method": chosen.name,
            "temperature": chosen.correction.temperature,
            "biases": dict(zip(CLASSES, chosen.correction.bias_C.tolist())) if chosen.has_biases else {},
            "kept": (),
            "candidates": tuple(
                CandidateRow(each.name, each.correction.temperature, 0.5, each.change)
                for each in choose(kind, outputs, y, units).candidates
            ),
            "before": kind.metrics(y, outputs, units),
            "after": kind.metrics(y, chosen.outputs_NC, units),
            "change": {
                "log_loss": chosen.change,
                **(
                    {"accuracy": kind.difference(y, chosen.outputs_NC, outputs, units)} if y.ndim == 1 else {}
                ),
            },
            "n_items": n_items,
            "n_changed": int((outputs.argmax(axis=1) != chosen.outputs_NC.argmax(axis=1)).sum()),
            "n_folds": 5,
            **more,
        }
    )
    labels = [str(each) for each in kind.decode(np.eye(3)[y] if y.ndim == 1 else y, CLASSES)]
    record = Record(
        kind="calibrate",
        source=SourceFacts("timm:net", "3f1c0d", "net", 1000, ("stem", "head")),
        data=DataFacts("data/new", "ab" * 32, "image", "label", {"test": n_items}, 3),
        task=task,
        n_train=500,
        n_test=n_items,
        test=found.after,
        chosen=Chosen("all", 2, ("head",)),
        seconds={"predict": 2.0, "calibrate": 0.4, "export": 1.0, "imports": 2.0, "total": 3.4},
        peak_bytes=10**9,
    )
    facts = RunFacts(
        "runs/xray-new",
        "headstart calibrate runs/xray data/new",
        CLASSES,
        (SplitPart("test", n_items, counts=kind.counts(labels)),),
        created="2026-01-01 10:00",
    )
    held_out = HeldOut(
        list(range(n_items)), [f"{row}.png" for row in range(n_items)], labels, y, chosen.outputs_NC, units
    )
    return CalibrateReport(
        record,
        facts,
        held_out,
        found=found,
        before_NC=outputs,
        next_command="headstart predict runs/xray-new NEW_ITEMS",
    )
