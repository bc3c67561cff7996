"""From data to a finished run: every file, every key, every policy; the same again, and resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import headstart
import small_data
from headstart.errors import InputError, OptionError
from headstart.fitting.configuration import options_of_command
from headstart.fitting.procedure import run_fit
from headstart.runs import Predictions, RunDirectory
from headstart.runs.run import Run
from small_data import LETTERS, SETTINGS

FILES = {
    "README.md",
    "config.json",
    "environment.json",
    "head.json",
    "head.safetensors",
    "headstart.yaml",
    "label_errors.csv",
    "learned_items.safetensors",
    "metrics.json",
    "model.pt2",
    "model.safetensors",
    "predictions.parquet",
    "report.html",
    "source.json",
    "training_statistics.safetensors",
}
SCORES = {"accuracy", "balanced_accuracy", "macro_f1", "auroc", "log_loss", "calibration_error"}
QUICK: dict[str, Any] = {**SETTINGS, "baseline": False, "report": False}


def names(run: Run) -> set[str]:
    return {path.name for path in run.path.iterdir()}


def predictions(run: Run) -> Predictions:
    return RunDirectory.open(run.path).predictions()


def test_a_run_without_its_program(digit_folder: Path, store: str, tmp_path: Path) -> None:
    run = headstart.fit(digit_folder, LETTERS, export=False, out=tmp_path / "run", store=store, **QUICK)
    assert names(run) == FILES - {"model.pt2", "report.html"} and run.metrics["exported"] is False
    assert "model.pt2" not in run.summary and "--no-export" in (run.path / "README.md").read_text()
    for ask in (run.predict, lambda data: headstart.load(run.path).predict(data)):
        with pytest.raises(InputError, match="was fitted with --no-export, so it cannot predict"):
            ask(digit_folder)
    again = headstart.fit(
        digit_folder, f"run:{run.path}", export=False, out=tmp_path / "two", store=store, **QUICK
    )
    assert again.metrics["n_train"] == run.metrics["n_train"]


def test_a_finished_run_has_every_file_and_key(digit_run: Run) -> None:
    assert names(digit_run) == FILES
    metrics = json.loads((digit_run.path / "metrics.json").read_text())
    assert metrics == digit_run.metrics
    assert set(metrics) >= {
        *("format_version", "n_train", "n_validation", "n_test", "test", "baselines", "profile", "chosen"),
        *("seconds", "peak_bytes", "verdict"),
    }
    assert (metrics["n_train"] + metrics["n_test"], metrics["n_validation"]) == (42, 0)
    for scores in (metrics["test"], *metrics["baselines"].values()):
        assert set(scores) == SCORES
        assert all(set(score) - {"why"} == {"value", "low", "high"} for score in scores.values())
        assert all((score["low"] is None) == bool(score.get("why")) for score in scores.values())
        assert all(score["low"] <= score["value"] <= score["high"] for score in (scores["accuracy"],))
    assert set(metrics["baselines"]) == {"majority", "classical", "probe"}
    assert list(metrics["profile"]) == ["block1", "block2", "block3", "block4"]
    assert set(metrics["chosen"]) == {
        "policy",
        "cut",
        "head_stages",
        "trained_stages",
        "head",
        "from_scratch",
        "classical",
    }
    assert {"imports", "total", "data", "checks", "source", "features", "head"} <= set(metrics["seconds"])
    phases = {name: value for name, value in metrics["seconds"].items() if name not in ("imports", "total")}
    assert metrics["seconds"]["total"] == pytest.approx(sum(phases.values()))
    assert metrics["verdict"] in ("positive", "negative", "undecided")
    assert metrics["peak_bytes"] > 0


def test_a_finished_run_says_what_it_was_made_from(digit_run: Run, digit_folder: Path) -> None:
    from headstart.sources import load_source

    record, source = RunDirectory.open(digit_run.path).record, load_source(LETTERS)
    assert record.kind == "fit" and record.to_json() == digit_run.metrics
    assert record.source is not None and record.data is not None
    assert (record.source.uri, record.source.digest) == (LETTERS, source.digest)
    assert record.source.stages == tuple(source.stages) and record.source.pretrained
    assert record.source.n_parameters == source.provenance.n_parameters > 0
    assert (record.data.name, record.data.modality, record.data.target) == (
        str(digit_folder),
        "image",
        "label",
    )
    assert sum(record.data.n_items.values()) == 42 and record.data.n_classes == 3
    assert (record.data.group, record.data.n_groups, record.data.n_domains) == (None, None, None)


def test_the_configuration_is_resolved_and_says_how_to_run_it_again(digit_run: Run) -> None:
    text = (digit_run.path / "headstart.yaml").read_text()
    assert text.startswith("# headstart fit --config ")
    options = yaml.safe_load(text)
    assert options["source"] == LETTERS and options["seed"] == 0 and options["precision"] == "fp32"


def test_what_the_options_left_open_is_written_as_it_was_taken(
    digit_folder: Path, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.sources.default_source", lambda modality: LETTERS)
    run = headstart.fit(
        digit_folder, out=tmp_path / "x", store=store, threads=1, baseline=False, report=False
    )
    options = yaml.safe_load((run.path / "headstart.yaml").read_text())
    assert options["source"] == LETTERS and options["precision"] in ("fp32", "bf16")
    assert options["device"] == "auto", "it may be resumed on another machine"
    assert "out" not in options


def test_the_configuration_of_an_older_version_is_read(digit_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "headstart.yaml").write_text(
        f"data: {digit_folder}\nsource: null\narch: null\nfreeze: last:1\nprecision: auto\ndevice: auto\nlr: auto\n"
    )
    options = options_of_command({"seed": 3}, tmp_path / "headstart.yaml", None)
    assert (options.source, options.freeze, options.seed, options.domain) == (None, "last:1", 3, None)


def test_the_table_and_the_array_of_the_same_pictures(tmp_path: Path) -> None:
    table = headstart.fit(small_data.digit_table(tmp_path), LETTERS, out=tmp_path / "a", **QUICK)
    assert table.metrics["n_test"] == 11 and table.metrics["n_train"] == 31
    array = headstart.fit(small_data.digit_npz(tmp_path / "d.npz"), LETTERS, out=tmp_path / "b", **QUICK)
    assert (array.metrics["n_train"], array.metrics["n_test"]) == (26, 10)
    assert names(array) == FILES - {"report.html"}
    assert set(array.metrics["baselines"]) == {"majority", "probe"}


def test_the_same_configuration_gives_the_same_bits(digit_run: Run, tmp_path: Path) -> None:
    given = {"store": str(tmp_path / "fresh"), "report": False, "out": tmp_path / "again"}
    config = options_of_command(given, digit_run.path / "headstart.yaml", None)
    again = run_fit(config)
    for key in ("test", "baselines", "profile", "chosen", "verdict"):
        assert again.metrics[key] == digit_run.metrics[key]
    np.testing.assert_array_equal(predictions(again).probabilities, predictions(digit_run).probabilities)


def test_runs_are_numbered(digit_run: Run, digit_folder: Path, store: str, tmp_path: Path) -> None:
    first, second = (
        headstart.fit(digit_folder, LETTERS, out=tmp_path / "x", store=store, **QUICK) for _ in range(2)
    )
    assert (first.path.name, second.path.name) == ("x", "x-2")
    assert first.metrics["test"] == second.metrics["test"] == digit_run.metrics["test"]


@pytest.mark.usefixtures("training_returned")
@pytest.mark.parametrize("freeze", ["none", "first:2", "until:block3"])
def test_policies_that_train(
    freeze: str, digit_run: Run, digit_folder: Path, store: str, tmp_path: Path
) -> None:
    run = headstart.fit(
        digit_folder, LETTERS, out=tmp_path / "x", freeze=freeze, epochs=2, store=store, **QUICK
    )
    metrics = run.metrics
    assert names(run) == {*FILES - {"report.html"}, "history.jsonl"}
    assert metrics["n_train"] + metrics["n_validation"] == digit_run.metrics["n_train"]
    assert metrics["n_validation"] > 0
    assert metrics["chosen"]["policy"] in (freeze, {"until:block3": "first:3"}.get(freeze), "all")
    history = RunDirectory.open(run.path).history
    assert metrics["best_epoch"] == min(history, key=lambda row: row["validation_loss"])["epoch"]
    assert metrics["recipe"]["epochs"] == 2 and metrics["recipe"]["batch_size"] == 32
    found = metrics["calibration"]
    assert found["temperature"] > 0
    if "before" in found:  # not for the ridge head alone
        assert found["after"]["log_loss"] == pytest.approx(metrics["test"]["log_loss"]["value"], rel=1e-4)
        change = found["after"]["log_loss"] - found["before"]["log_loss"]
        assert found["change"]["log_loss"]["value"] == pytest.approx(change)
    assert set(metrics["learned_from"].values()) == {metrics["n_train"]}
    saved = predictions(run)
    predicted = run.predict(digit_folder)
    rows = [list(predicted.items).index(item) for item in saved.items]
    np.testing.assert_allclose(predicted.probabilities[rows], saved.probabilities, atol=1e-3)


def test_auto_tries_policies_within_its_budget(digit_folder: Path, store: str, tmp_path: Path) -> None:
    run = headstart.fit(
        digit_folder, LETTERS, out=tmp_path / "x", freeze="auto", budget="4s", epochs=1, store=store, **QUICK
    )
    tried = [candidate["policy"] for candidate in run.metrics["candidates"]]
    assert "all" in tried and run.metrics["chosen"]["policy"] in tried
    assert run.metrics["reason"]


def test_every_item_is_held_out_once_in_folds(digit_folder: Path, store: str, tmp_path: Path) -> None:
    run = headstart.fit(digit_folder, LETTERS, out=tmp_path / "x", folds=3, store=store, **QUICK)
    assert run.metrics["n_test"] == run.metrics["n_train"] == 42
    assert sorted(predictions(run).items) == sorted(
        path.relative_to(digit_folder).as_posix() for path in digit_folder.rglob("*.png")
    )
    assert "3-fold" in (run.path / "README.md").read_text()


def test_refitted_on_every_label_the_evaluation_stays(
    digit_run: Run, digit_folder: Path, store: str, tmp_path: Path
) -> None:
    run = headstart.fit(digit_folder, LETTERS, out=tmp_path / "x", refit_all=True, store=store, **QUICK)
    for what in ("test", "n_train", "profile", "chosen", "reason", "cross_validated"):
        assert run.metrics[what] == digit_run.metrics[what], what
    assert run.metrics["refit"]["n_train"] == 42 and run.metrics["refit"]["head_stages"]
    card = (run.path / "README.md").read_text()
    assert "from all 42 labels" in card and "learned from 42 labelled" in card
    items = predictions(run)
    predicted = run.predict(digit_folder)
    rows = [list(predicted.items).index(item) for item in items.items]
    assert not np.allclose(predicted.probabilities[rows], items.probabilities, atol=1e-3)


def test_a_training_refitted_on_every_label_has_the_chosen_length(
    digit_folder: Path, store: str, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"freeze": "last:1", "lr": 0.01, "epochs": 3, "store": store, **QUICK}
    first = headstart.fit(digit_folder, LETTERS, out=tmp_path / "one", **options)
    run = headstart.fit(digit_folder, LETTERS, out=tmp_path / "two", refit_all=True, **options)
    assert run.metrics["chosen"] == first.metrics["chosen"] and run.metrics["test"] == first.metrics["test"]
    assert run.metrics["n_train"] == first.metrics["n_train"] < 42
    refit, chosen = run.metrics["refit"], first.metrics["chosen"]
    assert refit["n_train"] == 42 and refit["policy"] == chosen["policy"]
    assert "42 labelled" in (run.path / "README.md").read_text()
    items, predicted = predictions(run), run.predict(digit_folder)
    rows = [list(predicted.items).index(item) for item in items.items]
    assert not np.allclose(predicted.probabilities[rows], items.probabilities, atol=1e-3)


def test_an_interrupted_run_is_resumed(
    digit_folder: Path, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"freeze": "first:2", "epochs": 3, "store": store, **QUICK}
    alone = headstart.fit(digit_folder, LETTERS, out=tmp_path / "alone", **options)

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as stopped:
        patch.setattr("headstart.fitting.saving.finish", stop)
        headstart.fit(digit_folder, LETTERS, out=tmp_path / "x", **options)
    assert "headstart fit --resume" in stopped.value.__notes__[0]
    with pytest.raises(InputError, match="did not finish; resume it with headstart fit --resume"):
        headstart.predict(tmp_path / "x", digit_folder)
    resumed = run_fit(options_of_command({}, None, tmp_path / "x"), resume=tmp_path / "x")
    assert resumed.path == tmp_path / "x" and names(resumed) == names(alone)
    assert resumed.metrics["test"] == alone.metrics["test"]
    np.testing.assert_array_equal(predictions(resumed).probabilities, predictions(alone).probabilities)
    with pytest.raises(InputError, match="is finished: there is nothing to resume"):
        options_of_command({}, None, tmp_path / "x")
    with pytest.raises(OptionError, match="remove --out"):
        options_of_command({"data": "d", "out": tmp_path}, None, tmp_path)


def test_what_cannot_be_fitted_leaves_nothing(
    digit_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("no such network can be cut")

    monkeypatch.setattr("headstart.fitting.procedure.say", lambda text: None)
    monkeypatch.setattr("headstart.fitting.evaluation.learn_and_evaluate", refuse)
    with pytest.raises(InputError, match="cut"):
        headstart.fit(digit_folder, LETTERS, out=tmp_path / "x", **QUICK)
    assert list(tmp_path.iterdir()) == []
