"""What a policy does to each stage is told before training and kept with the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import headstart
from small_data import LETTERS, SETTINGS


@pytest.mark.usefixtures("training_returned")
@pytest.mark.parametrize(
    ("freeze", "fates"),
    [
        ("all", ["frozen"] * 4 + ["trained"]),
        ("only:block2", ["frozen", "trained at", "frozen", "frozen", "trained at"]),
        ("first:3,lora:2", ["frozen"] * 3 + ["frozen, with lora adapters of", "trained at"]),
        (
            "first:2,gradual",
            ["frozen", "frozen", "frozen (it would open in epoch 2 of 1)", "trained at", "trained at"],
        ),
    ],
)
def test_the_table_is_said_before_training_and_kept(
    freeze: str,
    fates: list[str],
    digit_folder: Path,
    store: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said_before: list[str] = []

    def learning(*_: object, **__: object) -> None:
        said_before.append(capsys.readouterr().err)
        raise KeyboardInterrupt

    options: dict[str, Any] = {
        "freeze": freeze,
        "store": store,
        "baseline": False,
        "report": False,
        **SETTINGS,
    }
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("headstart.fitting.evaluation.learn_and_evaluate", learning)
        headstart.fit(digit_folder, LETTERS, out=tmp_path / "x", epochs=1, **options)
    _, found, table = said_before[0].partition(f"Stages under --freeze {freeze}:\n")
    rows = [line.split(maxsplit=1) for line in table.splitlines()[1:6]]
    stages, told = zip(*rows, strict=True)
    assert found and stages == ("block1", "block2", "block3", "block4", "head")
    run = headstart.fit(digit_folder, LETTERS, out=tmp_path / "y", epochs=1, **options)
    for row, said, fate in zip(
        json.loads((run.path / "metrics.json").read_text())["stages"], told, fates, strict=True
    ):
        assert row["fate"].startswith(fate) and said.endswith(row["fate"])
        assert row["stage"] == "head" or said.startswith(f"{row['n_parameters']:,} ")


@pytest.mark.usefixtures("training_returned")
def test_what_chooses_for_itself_is_kept_as_it_chose(
    digit_folder: Path, store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {"store": store, "baseline": False, "report": False, **SETTINGS}
    run = headstart.fit(
        digit_folder, LETTERS, out=tmp_path / "x", freeze="only:auto", lr="auto", epochs=1, **options
    )
    trained = [row for row in run.metrics["stages"][:-1] if row["fate"].startswith("trained at ")]
    chosen = run.metrics["relative_gradient_norms"]["chosen"]
    assert [row["stage"] for row in trained] == [chosen]
    assert f"Stages under --freeze only:{chosen}:" in capsys.readouterr().err
    assert float(trained[0]["fate"].removeprefix("trained at ")) == pytest.approx(
        run.metrics["rate_search"]["suggestion"], rel=1e-3
    )


@pytest.mark.usefixtures("training_returned")
def test_norms_train_at_ten_times_the_usual_rate(digit_folder: Path, store: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"store": store, "baseline": False, "report": False, **SETTINGS}
    run = headstart.fit(digit_folder, LETTERS, out=tmp_path / "x", freeze="norm", epochs=1, **options)
    assert all(row["fate"].endswith("at 0.001") for row in run.metrics["stages"][:-1])
