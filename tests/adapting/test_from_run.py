"""A finished run is adapted to new items by what it keeps: its network, its head and its training statistics."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

import headstart
import small_data
from headstart.errors import InputError, OptionError
from headstart.run_files import TRAINING_STATISTICS
from headstart.runs import Predictions, RunDirectory
from headstart.runs.adaptable import open_adaptable
from headstart.runs.run import Run
from headstart.runs.saved_head import load_head
from headstart.runs.training_statistics import load_statistics
from small_data import LETTERS, SETTINGS

QUICK: dict[str, Any] = {**SETTINGS, "report": False}


@pytest.fixture(scope="module")
def ink(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_data.digit_folder(tmp_path_factory.mktemp("digits") / "ink", n_classes=3, n_each=30)


@pytest.fixture(scope="module")
def finished(ink: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("fitted") / "ink"
    return headstart.fit(ink, LETTERS, baseline=False, out=out, **QUICK)


def dim(ink: Path, copy: Path, labels: str = "as they are") -> Path:
    """The same pictures in poor light. Labels may be shuffled among the files."""
    files = sorted(ink.rglob("*.png"))
    classes = [file.parent.name for file in files]
    if labels == "shuffled":
        classes = list(np.random.default_rng(0).permutation(classes))
    for number, (file, name) in enumerate(zip(files, classes, strict=True)):
        place = copy / name / f"{number:04d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((np.asarray(Image.open(file)) * 0.3).astype(np.uint8)).save(place)
    return copy


def answers(run: Path) -> np.ndarray:
    written = Predictions.read(run / "predictions.parquet")
    return written.probabilities[np.argsort([Path(name).name for name in written.items])]


def copied(run: Run, folder: Path) -> Path:
    shutil.copytree(run.path, folder)
    return folder


def test_statistics_are_those_of_the_items_that_the_head_learned_from(finished: Run) -> None:
    head = load_head(finished.path, "adapted")
    found = load_statistics(finished.path, head)
    assert found.n_items == finished.metrics["n_train"] and found.n_features == head.n_features
    np.testing.assert_allclose(
        found.mean, head.mean, rtol=1e-4, atol=1e-4
    )  # the head is standardised by them
    assert finished.metrics["files"][TRAINING_STATISTICS]


def test_labels_of_the_target_change_nothing_and_the_run_gets_better(
    ink: Path, finished: Run, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"method": "standardise", **QUICK}
    before = {path.name: path.read_bytes() for path in finished.path.iterdir()}
    first = headstart.adapt(f"run:{finished.path}", dim(ink, tmp_path / "dim"), out=tmp_path / "one", **given)
    shuffled = dim(ink, tmp_path / "shuffled", "shuffled")
    again = headstart.adapt(finished.path, shuffled, out=tmp_path / "two", **given)
    np.testing.assert_array_equal(answers(first.path), answers(again.path))
    assert {path.name: path.read_bytes() for path in finished.path.iterdir()} == before
    facts = first.facts
    assert facts.names == ("ink", "dim") and facts.n_source == finished.metrics["n_train"]
    assert facts.in_domain.value == finished.metrics["test"]["accuracy"]["value"]
    gain = facts.returned.gain
    assert gain is not None and float(gain) > 0.1
    alone = finished.predict(tmp_path / "dim")
    right = np.mean([name == label for name, label in zip(alone.predicted, alone.labels or (), strict=True)])
    assert float(facts.source_only.truth or 0) == pytest.approx(right)  # source only is what the run predicts
    kept = [(run / TRAINING_STATISTICS).read_bytes() for run in (finished.path, first.path)]
    assert kept[0] == kept[1]
    assert RunDirectory.open(first.path).record.data == RunDirectory.open(finished.path).record.data


def test_options_that_need_labelled_data_are_refused(finished: Run, ink: Path) -> None:
    run = finished.path
    with pytest.raises(OptionError, match="name the new data"):
        headstart.adapt(run, **QUICK)
    with pytest.raises(OptionError, match="--from and --to"):
        headstart.adapt(run, ink, from_domain="a", to_domain="b", **QUICK)
    with pytest.raises(OptionError, match="--source cannot be used"):
        headstart.adapt(run, ink, source=LETTERS, **QUICK)
    with pytest.raises(OptionError, match="--task cannot be used"):
        headstart.adapt(run, ink, task="classification", **QUICK)
    with pytest.raises(InputError, match="there is no run at"):
        headstart.adapt("run:nowhere", ink, **QUICK)


def test_a_run_without_statistics_names_the_remedy(finished: Run, ink: Path, tmp_path: Path) -> None:
    run = copied(finished, tmp_path / "old")
    (run / TRAINING_STATISTICS).unlink()
    with pytest.raises(InputError, match=r"keeps no statistics .* Give the command of its fit again"):
        headstart.adapt(run, ink, **QUICK)


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_file_of_statistics_is_one_error(
    finished: Run, ink: Path, tmp_path: Path, damage: str
) -> None:
    run = copied(finished, tmp_path / "run")
    content = bytearray((run / TRAINING_STATISTICS).read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    else:
        content[-1] ^= 1
    (run / TRAINING_STATISTICS).write_bytes(content)
    with pytest.raises(InputError, match="is not the file that the run was finished with"):
        headstart.adapt(run, ink, **QUICK)


FAULTS = {
    "another version": ({"version": np.array(2)}, "has version 2"),
    "another width": ({"deviation": np.ones(3, np.float32)}, "deviation must be float32 of shape"),
    "other classes": ({"counts": np.array([1, 2])}, r"counts must be int64 of shape \(3,\)"),
    "not finite": ({"variances": None}, "not finite"),
    "infinite penalty": ({"penalty": np.array(np.inf, np.float32)}, "penalty must be a number"),
    "too large": ({"deviation": "enlarge"}, "deviation holds a value that no features have"),
    "too many items": ({"counts": np.full(3, 2**62)}, "or too many"),
    "no version": ({"version": "remove"}, "it has no version"),
    "too many bytes": (
        {"more": np.zeros(2**22, np.float32)},
        "larger than the statistics of this run can be",
    ),
    "no item": ({"counts": np.zeros(3, np.int64)}, "counts no item"),
    "negative": ({"counts": np.array([-1, 2, 3])}, "counts must not be negative"),
    "missing": ({"residual": "remove"}, "it has no residual"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_statistics_that_do_not_fit_are_one_error(
    finished: Run, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = copied(finished, tmp_path / "run")
    monkeypatch.setattr("headstart.runs.array_file.check_files", lambda *_: None)  # as with a right digest
    changes, message = FAULTS[fault]
    arrays = load_file(run / TRAINING_STATISTICS)
    for name, value in changes.items():
        if value is None:
            arrays[name][0] = np.nan
        elif isinstance(value, str) and value == "enlarge":
            arrays[name] = arrays[name] + np.float32(1e30)
        elif isinstance(value, str):
            del arrays[name]
        else:
            arrays[name] = value
    save_file(arrays, run / TRAINING_STATISTICS)
    with pytest.raises(InputError, match=message):
        load_statistics(run, load_head(run, "adapted"))


@pytest.mark.parametrize("kind", ["a folder", "a named pipe", "a device", "a link to itself"])
def test_what_is_no_file_is_one_error(finished: Run, tmp_path: Path, kind: str) -> None:
    run = copied(finished, tmp_path / "run")
    path = run / TRAINING_STATISTICS
    path.unlink()
    if kind == "a folder":
        path.mkdir()
    elif kind == "a named pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "a device" else path.name)
    words = "symbolic links" if kind == "a link to itself" else f"it is {kind}, not a file"
    with pytest.raises(
        InputError, match=rf"{TRAINING_STATISTICS} cannot be read .*{words}.* copy the run again"
    ):
        open_adaptable(run)
