"""What a fit reports to TensorBoard, MLflow and Weights & Biases, read back from their own files."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import headstart
import small_data
from headstart.errors import InputError, OptionError
from headstart.runs.run import Run
from headstart.tracking.tracker import LIBRARIES, Outcome
from headstart.tracking.tracking import Tracking

ROWS = (
    {
        "epoch": 0,
        "train_loss": None,
        "validation_loss": 0.9,
        "validation_accuracy": 0.4,
        "lr": 0.0,
        "seconds": 1,
    },
    {
        "epoch": 1,
        "train_loss": 0.8,
        "validation_loss": 0.7,
        "validation_accuracy": 0.6,
        "lr": 1e-4,
        "seconds": 1,
    },
)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Name to (step, value), as TensorBoard reads a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    return {
        name: [(each.step, each.value) for each in found.Scalars(name)] for name in found.Tags()["scalars"]
    }


def follow(library: str, run: Path, finished: Run | None) -> Tracking:
    """Two trainings of two epochs each; then the scores of a finished run, if there is one."""
    tracking = Tracking.start(library, run, run / "training")
    for folder in (run / "training", run / "training" / "first-1"):
        for row in ROWS:
            tracking.on_epoch(folder, row)
    if finished is not None:
        tracking.finish(finished.metrics, {"freeze": "all", "budget": None})
    return tracking


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder of a run that has a report."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.html").write_text("<html>report</html>")
    return tmp_path / "run"


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty MLflow store; it takes seconds to make one."""
    import mlflow

    file = tmp_path_factory.mktemp("mlflow") / "store.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def mlflow_store(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty MLflow store in a file, and its client."""
    import mlflow

    shutil.copy(empty_store, tmp_path / "store.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "letters")
    monkeypatch.chdir(tmp_path)
    return mlflow.MlflowClient()


def test_a_fit_reports_its_epochs_and_scores(digit_folder: Path, tmp_path: Path) -> None:
    options = {"freeze": "last:1", "epochs": 2, "track": "tensorboard", "baseline": False, "report": False}
    fitted = headstart.fit(
        digit_folder, small_data.LETTERS, out=tmp_path / "run", store=str(tmp_path / "s"), **options,
        **small_data.SETTINGS,
    )  # fmt: skip
    history = [json.loads(line) for line in (fitted.path / "history.jsonl").read_text().splitlines()]
    seen = scalars(fitted.path / "tensorboard" / "training")
    for name in ("train_loss", "validation_loss", "validation_accuracy", "lr"):
        wanted = [
            (row["epoch"], pytest.approx(row[name], rel=1e-6)) for row in history if row[name] is not None
        ]
        assert seen[name] == wanted, name
    scores = scalars(fitted.path / "tensorboard")
    assert scores["test/accuracy"] == [(0, pytest.approx(fitted.metrics["test"]["accuracy"]["value"]))]


def test_tensorboard_has_a_folder_per_training(run: Path, digit_run: Run) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    follow("tensorboard", run, digit_run)
    for name in ("training", "first-1/training"):
        assert scalars(run / "tensorboard" / name)["validation_loss"] == [
            (0, pytest.approx(0.9)),
            (1, pytest.approx(0.7)),
        ]
    found = EventAccumulator(str(run / "tensorboard"))
    found.Reload()
    (text,) = found.Tensors("parameters/text_summary")
    table = text.tensor_proto.string_val[0].decode()
    assert "| freeze | `all` |" in table and "budget" not in table and "| verdict |" in table


def test_mlflow_has_curves_scores_parameters_and_the_report(
    run: Path, digit_run: Run, mlflow_store: Any
) -> None:
    import mlflow

    tracking = follow("mlflow", run, None)
    id_ = json.loads((run / "tracker.json").read_text())["id"]
    assert mlflow_store.get_run(id_).info.status == "RUNNING" and mlflow.active_run() is None
    tracking.finish(digit_run.metrics, {"freeze": "all"})

    found = mlflow_store.get_run(id_)
    assert (found.info.status, found.info.run_name) == ("FINISHED", "run")
    assert mlflow_store.get_experiment(found.info.experiment_id).name == "letters"
    curve = mlflow_store.get_metric_history(id_, "first-1/training/validation_loss")
    assert [(each.step, each.value) for each in curve] == [(0, 0.9), (1, 0.7)]
    assert [each.value for each in mlflow_store.get_metric_history(id_, "training/train_loss")] == [0.8]
    assert found.data.metrics["test/accuracy"] == digit_run.metrics["test"]["accuracy"]["value"]
    assert found.data.metrics["baselines/majority/accuracy"] == pytest.approx(0.25)
    assert (
        found.data.params["freeze"] == "all" and found.data.params["verdict"] == digit_run.metrics["verdict"]
    )
    assert [each.path for each in mlflow_store.list_artifacts(id_)] == ["report.html"]


def test_an_interrupted_fit_continues_its_run(run: Path, digit_run: Run, mlflow_store: Any) -> None:
    follow("mlflow", run, None).stop(failed=False)
    id_ = json.loads((run / "tracker.json").read_text())["id"]
    assert mlflow_store.get_run(id_).info.status == "KILLED"
    follow("mlflow", run, None).stop(failed=True)
    assert mlflow_store.get_run(id_).info.status == "FAILED"
    follow("mlflow", run, digit_run)
    experiment = mlflow_store.get_run(id_).info.experiment_id
    assert [each.info.run_id for each in mlflow_store.search_runs([experiment])] == [id_]
    assert mlflow_store.get_run(id_).info.status == "FINISHED"


def test_wandb_keeps_a_run_offline(run: Path, digit_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb
    from wandb.proto.wandb_internal_pb2 import Record

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for name in ("WANDB_DIR", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, str(run))
    follow("wandb", run, digit_run)
    wandb.teardown()  # as at the end of a process: its own process has written everything
    (path,) = run.glob("wandb/offline-run-*/*.wandb")
    rows: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    config: dict[str, Any] = {}
    artifacts: list[str] = []
    for content in records_in(path.read_bytes()):
        record = Record()
        record.ParseFromString(content)
        if record.HasField("history"):
            rows.append({_key(each): json.loads(each.value_json) for each in record.history.item})
        summary |= {_key(each): json.loads(each.value_json) for each in record.summary.update}
        config |= {_key(each): json.loads(each.value_json) for each in record.config.update}
        config |= {_key(each): json.loads(each.value_json) for each in record.run.config.update}
        if record.HasField("request"):
            continue
        if record.HasField("artifact"):
            artifacts += [entry.path for entry in record.artifact.manifest.contents]
    losses = [
        (row["training/epoch"], row["training/validation_loss"]) for row in rows if "training/epoch" in row
    ]
    assert losses == [(0, 0.9), (1, 0.7)]
    assert summary["test/accuracy"] == digit_run.metrics["test"]["accuracy"]["value"]
    assert config["freeze"] == "all" and "report.html" in artifacts


def records_in(content: bytes) -> Iterator[bytes]:
    """The records of a file of W&B: a LevelDB log behind seven bytes, in blocks of 32 kB."""
    at, parts, block = 7, b"", 32_768
    while at + 7 <= len(content):
        if block - at % block < 7:  # too small for a header
            at += block - at % block
            continue
        length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        parts += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def _key(item: Any) -> str:
    return item.key or "/".join(item.nested_key)


class Broken:
    """A tracker whose server is gone."""

    id = "one"

    def log(self, training: str, epoch: int, values: Mapping[str, float]) -> None:
        raise OSError("the server is gone")

    def finish(self, outcome: Outcome) -> None:
        raise AssertionError("it is not asked again")

    def stop(self, *, failed: bool) -> None:
        raise AssertionError("it is not asked again")


def test_a_tracker_that_fails_is_one_warning(
    run: Path, digit_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    tracking = Tracking("mlflow", Broken(), run, run / "training")
    for row in ROWS:
        tracking.on_epoch(run / "training", row)
    tracking.finish(digit_run.metrics, {})
    tracking.stop(failed=True)
    said = capsys.readouterr().err
    assert said.count("warning") == 1 and "--track mlflow failed (OSError: the server is gone)" in said


def test_what_cannot_start_is_told_before_anything_is_learned(
    digit_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionError, match="option track: must be 'tensorboard', 'mlflow' or 'wandb'"):
        headstart.fit(digit_folder, small_data.LETTERS, track="board")  # type: ignore[arg-type]
    for library in LIBRARIES:
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(OptionError, match=rf"pip install 'headstart\[{library}\]'"):
            headstart.fit(digit_folder, small_data.LETTERS, track=library)
        monkeypatch.undo()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://at.all")
    with pytest.raises(InputError, match=r"--track mlflow cannot start \(.*\): check its settings"):
        headstart.fit(
            digit_folder, small_data.LETTERS, track="mlflow", out=tmp_path / "run", **small_data.SETTINGS
        )
    assert not os.path.lexists(tmp_path / "run")
