"""`--freeze auto`: a network from scratch that wins is called so; on real sets, never worse than the head alone by more
than one standard error."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

import headstart
from headstart.tune.race.comparison import ValidationItems
from headstart.tune.race.result import CandidateResult
from small_data import LETTERS, SETTINGS


def test_a_network_from_scratch_that_wins_is_called_so_and_not_compared_with_itself(
    digit_folder: Path, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scratch(rows: Sequence[CandidateResult]) -> CandidateResult | None:
        return next((row for row in rows if row.from_scratch and row.reached), None)

    monkeypatch.setattr(ValidationItems, "cannot_tell", "")
    monkeypatch.setattr("headstart.tune.race.race.best_of", scratch)
    run = headstart.fit(
        digit_folder, LETTERS, out=tmp_path / "x", freeze="auto", budget="2m", epochs=1, store=store, baseline=False,
        report=False, track="tensorboard", **SETTINGS,
    )  # fmt: skip
    metrics = run.metrics
    trained = [row for row in metrics["candidates"] if row["tried"] and row["name"] != "all"]
    folders = {path.parent.relative_to(run.path).as_posix() for path in run.path.rglob("events.out.*")}
    assert len(trained) >= 2 and len(folders) >= 1 + len(trained), "each candidate has its curves"
    assert {"tensorboard/first-1/training", "tensorboard/scratch/training"} <= folders
    assert metrics["chosen"]["from_scratch"] and metrics["reason"].startswith("scratch: ")
    assert "looks at these items, so expect less on new ones" in metrics["reason"]
    assert "trained the network of" in run.summary and "from random weights" in run.summary
    assert "fine-tuned" not in run.summary + (run.path / "README.md").read_text()
    others = [metrics["baselines"][name]["accuracy"]["value"] for name in ("majority", "scratch")]
    alone = metrics["baselines"]["probe"]["accuracy"]["value"]
    assert metrics["verdict_evidence"]["difference"]["value"] == pytest.approx(alone - max(others), abs=1e-6)


@pytest.mark.real
@pytest.mark.full
@pytest.mark.parametrize("name", ["sst2", "trec"])
def test_a_race_on_texts_does_no_harm_on_what_is_held_out(shared: Path, tmp_path: Path, name: str) -> None:
    with open(shared / "data" / name / f"{name}.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    picked = []
    for part, n_rows in (("train", 400), ("test", 400)):
        picked += random.Random(0).sample([row for row in rows if row["split"] == part], n_rows)
    table = tmp_path / "texts.csv"
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        writer.writerows([row["text"], row["label"], row["split"]] for row in picked)
    source = str(shared / "weights" / "all-MiniLM-L6-v2")
    run = headstart.fit(
        table, source, out=tmp_path / "run", freeze="auto", budget="90s", baseline=False, report=False,
        threads=1, store=str(tmp_path / "store"),
    )  # fmt: skip
    found = run.metrics["test"]["accuracy"]["value"]
    alone = run.metrics["baselines"]["probe"]["accuracy"]["value"]
    assert found >= alone - math.sqrt(alone * (1 - alone) / 400)
    assert run.metrics["seconds"]["tune"] <= 1.1 * 90
    head, *others = run.metrics["candidates"]
    chosen = next(candidate for candidate in (head, *others) if candidate["chosen"])
    assert chosen["accuracy"] >= head["accuracy"] and run.metrics["reason"]
    assert all(candidate["tried"] or candidate["why"].startswith("not tried") for candidate in others)
