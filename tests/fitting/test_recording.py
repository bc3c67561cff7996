"""A finished fit is added to the record of finished runs; one that ends before is not, nor is the demo."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart
import small_data
from headstart.data import DataSet, Examples
from headstart.data.examples import string_array
from headstart.fitting.recording import median_size
from headstart.past_runs import read
from headstart.runs.directory import RunDirectory
from headstart.sources import load_source

FAST: dict[str, Any] = {"baseline": False, "report": False, **small_data.SETTINGS}


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADSTART_RECORD", str(tmp_path / "record"))
    return tmp_path / "record"


def test_what_is_recorded(record: Path, digit_folder: Path, tmp_path: Path, store: str) -> None:
    fitted = headstart.fit(digit_folder, small_data.LETTERS, out=tmp_path / "x", store=store, **FAST)
    [run] = read()
    metrics, source = fitted.metrics, load_source(small_data.LETTERS)
    scores = (metrics["test"]["accuracy"], metrics["baselines"]["probe"]["accuracy"])
    assert (run.data_digest, run.modality, run.task) == (metrics["data"]["digest"], "image", "classification")
    assert (run.n_items, run.n_classes, run.item_size) == (42, 3, 8.0)
    assert (run.source, run.source_digest) == (small_data.LETTERS, source.digest)
    assert (run.preprocessing_digest, run.policy) == (source.preprocessing.digest(), "all")
    assert (run.n_train, run.n_test, run.metric) == (metrics["n_train"], metrics["n_test"], "accuracy")
    assert [{"value": run.value, "low": run.low, "high": run.high}, run.head_alone] == [
        scores[0],
        scores[1]["value"],
    ]
    assert run.finished.endswith("Z") and run.headstart == importlib.metadata.version("headstart")
    content = record.read_bytes()
    assert str(tmp_path).encode() not in content and b"digit 1" not in content


def test_a_quantity_is_recorded_by_its_own_metric(record: Path, tmp_path: Path) -> None:
    data, numbers = small_data.digits()
    np.savez(tmp_path / "digits.npz", train_images=data, train_labels=numbers * 1.5)
    headstart.fit(tmp_path / "digits.npz", small_data.LETTERS, out=tmp_path / "x", task="regression", **FAST)
    [run] = read()
    assert (run.task, run.metric, run.n_classes) == ("regression", "r2", 0)


def test_a_stopped_run_is_not_recorded(
    record: Path, digit_folder: Path, tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RunDirectory, "finish", stopped)
    with pytest.raises(KeyboardInterrupt):
        headstart.fit(digit_folder, small_data.LETTERS, out=tmp_path / "x", store=store, **FAST)
    assert not record.exists()


def test_a_record_that_cannot_be_written_does_not_cost_the_run(
    record: Path, digit_folder: Path, tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record.mkdir()
    headstart.fit(digit_folder, small_data.LETTERS, out=tmp_path / "x", store=store, **FAST)
    assert RunDirectory.open(tmp_path / "x").record.n_test
    assert capsys.readouterr().err.count("the record of finished runs") == 1


def test_the_demo_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Called(Exception):
        pass

    def run_fit(options: Any, **more: Any) -> None:
        assert more == {"recorded": False}
        raise Called

    monkeypatch.setattr("headstart.fitting.procedure.run_fit", run_fit)
    with pytest.raises(Called):
        headstart.demo(tmp_path / "demo")


def test_the_median_size_of_items(tmp_path: Path) -> None:
    texts = small_data.texts(["a", "bb cc", "a longer text", "dd ee"], "xyxy")
    assert median_size(DataSet.of(texts, split=False)) == 5.0
    pictures: list[Any] = [np.zeros((height, 9), np.uint8) for height in (5, 7, 30)]
    names = string_array(["1", "2", "3"])
    images = Examples("image", pictures, names, string_array("xyx"))
    assert median_size(DataSet.of(images, split=False)) == 7.0
    tones = headstart.data.read_examples(small_data.tone_folder(tmp_path / "tones"))
    data = DataSet.of(tones, split=False)
    assert data.scan.seconds is not None
    assert median_size(data) == pytest.approx(np.median(data.scan.seconds))


def test_items_that_are_gone_have_no_size(tmp_path: Path) -> None:
    folder = small_data.digit_folder(tmp_path / "digits", n_each=4)
    data = DataSet.of(headstart.data.read_examples(folder), split=False)
    for path in folder.rglob("*.png"):
        path.unlink()
    assert median_size(data) is None
