"""Weights from the option to the run: what is learned, measured, written and offered next."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

import headstart
import small_data
from headstart.errors import InputError


def table(folder: Path) -> Path:
    """Digits 0 and a few digits 1, with a column of weights."""
    path = small_data.digit_table(folder)
    with path.open() as file:
        rows = [row for row in csv.DictReader(file) if row["label"] != "digit 2"]
    rare = [row for row in rows if row["label"] == "digit 1" and row["split"] == "train"][4:]
    kept = [
        {**row, "w": str(1 + index % 3)} for index, row in enumerate(row for row in rows if row not in rare)
    ]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(kept[0]))
        writer.writeheader()
        writer.writerows(kept)
    return path


def test_a_fit_with_weights_says_so_everywhere(tmp_path: Path) -> None:
    run = headstart.fit(
        table(tmp_path), small_data.LETTERS, class_weight="balanced", weight="w", out=tmp_path / "run",
        store=tmp_path / "store", export=False, **small_data.SETTINGS,
    )  # fmt: skip
    weights = run.metrics["weights"]
    assert weights["column"] == "w" and weights["classes"]["digit 1"] > 1 > weights["classes"]["digit 0"]
    assert run.metrics["test"]["accuracy"]["value"] is not None
    card, report = ((run.path / name).read_text() for name in ("README.md", "report.html"))
    for text in (card, report):
        assert "Items are weighted by column" in text and "count every item the same" in text
    assert "Weighted accuracy" in report
    kept = yaml.safe_load((run.path / "headstart.yaml").read_text())
    assert kept["class_weight"] == "balanced" and kept["weight"] == "w"
    assert "--weight w --class-weight balanced" in run.summary


def test_a_training_with_weights_is_compared_by_them(tmp_path: Path) -> None:
    run = headstart.fit(
        table(tmp_path), small_data.LETTERS, freeze="last:1", epochs=2, class_weight={"digit 1": 4},
        out=tmp_path / "run", store=tmp_path / "store", export=False, baseline=False, **small_data.SETTINGS,
    )  # fmt: skip
    assert run.metrics["weights"]["classes"] == {"digit 0": 1.0, "digit 1": 4.0}
    kept = yaml.safe_load((run.path / "headstart.yaml").read_text())
    assert kept["class_weight"] == {"digit 1": 4.0}
    history = [json.loads(line) for line in (run.path / "history.jsonl").read_text().splitlines()]
    assert len(history) >= 2


def test_what_cannot_be_weighted_is_refused_before_the_source_is_read(tmp_path: Path) -> None:
    path = table(tmp_path)
    for given, what in (({"class_weight": {"digit 7": 2}}, "digit 7"), ({"weight": "ww"}, "no column 'ww'")):
        with pytest.raises(InputError, match=what):
            headstart.fit(path, "no:source", out=tmp_path / "run", **given)
    assert not (tmp_path / "run").exists()


@pytest.mark.real
@pytest.mark.full
def test_a_rare_class_of_chest_x_rays_is_found_more_often(shared: Path, tmp_path: Path) -> None:
    """20 of 400 normal pictures are left in the training part; the test part has 200 of each class."""
    root = shared / "data/chest_xray"
    with (root / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    normal = [row for row in rows if row["split"] == "train" and row["label"] == "normal"]
    left_out = np.random.default_rng(0).permutation(len(normal))[20:]
    dropped = {normal[index]["file"] for index in left_out}
    kept = [{**row, "file": str(root / row["file"])} for row in rows if row["file"] not in dropped]
    with (tmp_path / "chest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(kept[0]))
        writer.writeheader()
        writer.writerows(kept)
    source = shared / "weights/mobilenetv2_100.tf2_ptq_in1k"
    plain, balanced = (
        headstart.fit(
            tmp_path / "chest.csv", str(source), class_weight=weight, follow_outside=True, out=tmp_path / "run",
            store=tmp_path / "store", export=False, baseline=False, report=False, **small_data.SETTINGS,
        ).metrics["test"]
        for weight in (None, "balanced")
    )  # fmt: skip
    gain = balanced["balanced_accuracy"]["value"] - plain["balanced_accuracy"]["value"]
    assert gain > 0.05 and abs(balanced["auroc"]["value"] - plain["auroc"]["value"]) < 0.05
