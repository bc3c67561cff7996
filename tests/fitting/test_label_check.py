"""The check of the labels in a fit: what it lists, and that nothing else depends on it."""

from __future__ import annotations

import csv
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart
import small_data
from headstart.runs.run import Run
from small_data import LETTERS, SETTINGS

QUICK: dict[str, Any] = {**SETTINGS, "baseline": False, "report": False}
CLASSES, EACH = 4, 70


def planted() -> set[str]:
    """The names of the pictures of `small_data.digits` whose label is wrong."""
    wrong = np.arange(CLASSES * EACH) % 7 == 0
    order = np.random.default_rng(0).permutation(CLASSES * EACH)
    return {f"{index:03}.png" for index in np.flatnonzero(wrong[order])}


def listed(run: Run) -> list[dict[str, str]]:
    with (run.path / "label_errors.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_data.digit_folder(tmp_path_factory.mktemp("digits"), n_classes=CLASSES, n_each=EACH)


@pytest.fixture(scope="module")
def checked(digits: Path, store: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return headstart.fit(digits, LETTERS, out=tmp_path_factory.mktemp("run") / "x", store=store, **QUICK)


def test_planted_errors_of_both_parts_are_listed_first(checked: Run) -> None:
    found, wrong = listed(checked), planted()
    first = [Path(row["item"]).name in wrong for row in found[: len(wrong)]]
    assert np.mean(first) >= 0.8 and len(found) >= 0.8 * len(wrong)
    assert {row["part"] for row in found} == {"train", "test"}
    for row in found:
        assert row["label"] == Path(row["item"]).parent.name != row["suggested"]
        assert float(row["probability"]) < float(row["probability_of_suggested"])
    entry = checked.metrics["label_errors"]
    assert entry["n_checked"] == {"train": checked.metrics["n_train"], "test": checked.metrics["n_test"]}
    assert sum(entry["n_suspicious"].values()) == len(found)
    assert [item["item"] for item in entry["items"]] == [row["item"] for row in found[:20]]
    assert 0 <= entry["share_replaced"] < 0.5 and 0 < entry["p_value"] <= 1


def test_no_choice_and_no_score_depends_on_it(
    checked: Run, digits: Path, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.fitting.saving.check_labels", lambda *_: None)
    without = headstart.fit(digits, LETTERS, out=tmp_path / "x", store=store, **QUICK)
    aside = ("label_errors", "seconds", "peak_bytes")
    assert "label_errors" not in without.metrics and not (without.path / "label_errors.csv").exists()
    assert {name: value for name, value in without.metrics.items() if name not in aside} == {
        name: value for name, value in checked.metrics.items() if name not in aside
    }
    assert (without.path / "model.safetensors").read_bytes() == (
        checked.path / "model.safetensors"
    ).read_bytes()


def test_with_folds_every_label_is_checked_once(digits: Path, store: str, tmp_path: Path) -> None:
    run = headstart.fit(digits, LETTERS, out=tmp_path / "x", store=store, folds=3, **QUICK)
    assert run.metrics["label_errors"]["n_checked"] == {"train": CLASSES * EACH}
    names = [row["item"] for row in listed(run)]
    assert len(names) == len(set(names))
    assert np.mean([Path(name).name in planted() for name in names[: len(planted())]]) >= 0.8


def test_refitted_on_all_the_held_out_items_are_still_judged_by_the_result(
    checked: Run, digits: Path, store: str, tmp_path: Path
) -> None:
    run = headstart.fit(digits, LETTERS, out=tmp_path / "x", store=store, refit_all=True, **QUICK)
    assert run.metrics["label_errors"]["n_checked"] == checked.metrics["label_errors"]["n_checked"]
    held_out = [[row for row in listed(each) if row["part"] == "test"] for each in (run, checked)]
    assert held_out[0] == held_out[1] != []


def test_a_quantity_is_not_checked(digits: Path, store: str, tmp_path: Path) -> None:
    table = tmp_path / "values.csv"
    rows = [
        f"{path},{int(path.parent.name[-1]) + index / 1000}"
        for index, path in enumerate(sorted(digits.rglob("*.png")))
    ]
    table.write_text("\n".join(["file,score", *rows]))
    run = headstart.fit(
        table, LETTERS, out=tmp_path / "x", target="score", store=store, follow_outside=True, **QUICK
    )
    assert run.metrics["task"] == "regression" and "label_errors" not in run.metrics
    assert not (run.path / "label_errors.csv").exists()


@pytest.mark.real
def test_flipped_photos_are_found(shared: Path, tmp_path: Path) -> None:
    data = tmp_path / "photos"
    shutil.copytree(shared / "data" / "hymenoptera", data)
    photos = sorted((data / "train").rglob("*.jpg"))
    other = {"ants": "bees", "bees": "ants"}
    flipped = random.Random(0).sample(photos, 12)
    for photo in flipped:
        photo.rename(data / "train" / other[photo.parent.name] / photo.name)
    source = str(shared / "weights" / "mobilenetv2_100.tf2_ptq_in1k")
    run = headstart.fit(data, source, out=tmp_path / "run", export=False, **QUICK)
    first = [Path(row["item"]).name for row in listed(run) if row["part"] == "train"][:12]
    assert len(set(first) & {photo.name for photo in flipped}) >= 5
