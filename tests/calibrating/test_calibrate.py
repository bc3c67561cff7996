"""A finished run is calibrated by new labelled items; a new run gives the corrected probabilities."""

from __future__ import annotations

import csv
import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import headstart
import small_data
from headstart.calibrating.result import Calibration
from headstart.calibrating.threshold import note_on
from headstart.errors import DataError, InputError, OptionError
from headstart.fitting.reported_run import remove_half
from headstart.heads.correction import Correction, scores_of
from headstart.runs import RunDirectory
from headstart.runs.learned_items import LearnedItems
from headstart.runs.run import Run
from headstart.tasks import CLASSIFICATION
from headstart.tasks.threshold import Threshold


def new_digits(root: Path, n_each: int = 30, *, share_wrong: float = 0.0, skipped: int = 20) -> Path:
    """Handwritten digits that no test learns from, one folder per class; the label of a share is drawn anew."""
    bunch, rng = load_digits(), np.random.default_rng(0)
    for number in range(3):
        for index in np.flatnonzero(bunch.target == number)[skipped : skipped + n_each]:
            label = rng.integers(3) if rng.random() < share_wrong else number
            path = root / f"digit {label}" / f"{index:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((bunch.images[index] * 15).astype(np.uint8)).save(path)
    return root


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nearly all labels are drawn: the run is much too sure."""
    return new_digits(tmp_path_factory.mktemp("noisy") / "noisy", share_wrong=0.9)


@pytest.fixture(scope="module")
def calibrated(
    digit_run: Run, noisy: Path, store: str, tmp_path_factory: pytest.TempPathFactory
) -> Calibration:
    out = tmp_path_factory.mktemp("calibrated") / "new"
    before = {path.name: path.read_bytes() for path in digit_run.path.iterdir()}
    found = headstart.calibrate(digit_run.path, noisy, out=out, store=store, threads=1)
    assert {path.name: path.read_bytes() for path in digit_run.path.iterdir()} == before
    return found


def run_of(found: Calibration) -> Run:
    assert found.run is not None
    return found.run


def test_the_new_run_gives_the_corrected_probabilities(
    calibrated: Calibration, digit_run: Run, noisy: Path
) -> None:
    facts, new = calibrated.facts, run_of(calibrated)
    assert facts.outcome == "corrected" and facts.temperature > 1.5
    old, corrected = (run.predict(noisy, threads=1) for run in (digit_run, new))
    bias = np.array([facts.biases.get(name, 0.0) for name in old.classes])
    scores = scores_of(CLASSIFICATION, old.probabilities)
    expected = Correction(facts.temperature, bias).outputs(CLASSIFICATION, scores)
    np.testing.assert_allclose(corrected.probabilities, expected, atol=1e-4)
    assert facts.difference is not None and facts.difference < 1e-4
    assert "too good, as it was made because it looked good on 90 items" in " ".join(facts.notes)
    assert np.abs(old.probabilities - expected).max() > 0.1


def test_scores_after_are_of_corrections_that_were_fitted_without_the_item(
    calibrated: Calibration, noisy: Path
) -> None:
    """What is kept and scored differs from what the new run says about the items that it was fitted to."""
    facts, new = calibrated.facts, run_of(calibrated)
    kept = RunDirectory.open(new.path).predictions()
    own = new.predict(noisy, threads=1)
    assert list(kept.items) == list(own.items)
    assert np.abs(kept.probabilities - own.probabilities).max() > 1e-3
    codes = np.array([kept.classes.index(label) for label in kept.labels or ()])
    loss = -np.log(kept.probabilities[np.arange(len(codes)), codes]).mean()
    assert float(facts.after["log_loss"]) == pytest.approx(loss, rel=1e-4)
    change = facts.change["log_loss"]
    assert change.high is not None and change.high < 0
    assert float(change) == pytest.approx(float(facts.after["log_loss"]) - float(facts.before["log_loss"]))
    accuracy = float(facts.after["accuracy"]) - float(facts.before["accuracy"])
    assert float(facts.change["accuracy"]) == pytest.approx(accuracy)


def test_what_is_written(calibrated: Calibration, digit_run: Run) -> None:
    new = run_of(calibrated)
    content = json.loads((new.path / "metrics.json").read_text())
    found = content["recalibration"]
    assert content["kind"] == "calibrate" and content["n_test"] == 90 == found["n_items"]
    assert content["test"]["log_loss"] == found["after"]["log_loss"]
    assert content["baselines"]["not_calibrated"]["log_loss"] == found["before"]["log_loss"]
    assert found["temperature"] == calibrated.facts.temperature and len(found["candidates"]) == 2
    assert (
        content["n_train"] == digit_run.metrics["n_train"] and content["source"]["uri"] == small_data.LETTERS
    )
    card = (new.path / "README.md").read_text(encoding="utf-8")
    assert "| Calibrated | the probabilities of" in card and "not calibrated" in card
    with (new.path / "calibration.csv").open() as file:
        rows = {row["metric"]: row for row in csv.DictReader(file)}
    assert float(rows["log_loss"]["change"]) == float(calibrated.facts.change["log_loss"])
    assert calibrated.table.shape[0] == len(rows)
    page = new.report.read_text(encoding="utf-8")
    assert "headstart calibrated" in page and "Before the correction" in page
    assert "The probabilities are corrected by a temperature of" in calibrated.summary.replace("\n", " ")
    assert "headstart predict" in calibrated.summary


def test_the_new_run_is_a_source_and_knows_its_items(
    calibrated: Calibration, digit_run: Run, noisy: Path, tmp_path: Path
) -> None:
    new, old = run_of(calibrated), LearnedItems.load(digit_run.path)
    kept = LearnedItems.load(new.path)
    assert old is not None and kept is not None and len(kept.learned) == len(old.learned) + 90
    with pytest.raises(DataError, match="has learned from all"):
        headstart.evaluate(new.path, noisy, out=tmp_path / "out", threads=1)
    assert headstart.load_source(f"run:{new.path}").network is not None
    with pytest.raises(InputError, match="was calibrated, and keeps no statistics"):
        headstart.predict(new.path, noisy, adapt=True)


def test_a_run_that_was_calibrated_can_be_again(calibrated: Calibration, store: str, tmp_path: Path) -> None:
    more = new_digits(tmp_path / "more", share_wrong=0.0, skipped=60)
    found = headstart.calibrate(
        run_of(calibrated).path, more, out=tmp_path / "out", store=store, threads=1, report=False
    )
    assert found.facts.temperature < 1 and "was calibrated before" in " ".join(found.facts.notes)
    assert not (run_of(found).path / "report.html").exists()


def test_no_run_is_written_where_no_correction_helps(digit_run: Run, store: str, tmp_path: Path) -> None:
    """A tenth of the labels of these digits is wrong, as of those that the run learned from."""
    data = new_digits(tmp_path / "new", 20, share_wrong=0.15)
    found = headstart.calibrate(digit_run.path, data, out=tmp_path / "out", store=store, threads=1)
    assert found.run is None and found.path is None and not (tmp_path / "out").exists()
    assert found.facts.outcome in ("right", "undecided") and found.facts.after == {}
    assert "No run was written" in found.summary.replace("\n", " ")
    few = headstart.calibrate(digit_run.path, new_digits(tmp_path / "few", 5), store=store, threads=1)
    assert few.facts.outcome == "undecided"
    assert "15 items, 30 are needed" in few.summary.replace("\n", " ")


def test_classes_that_one_side_does_not_know(digit_run: Run, noisy: Path, store: str, tmp_path: Path) -> None:
    files = sorted(noisy.rglob("*.png"))
    labels = ["odd" if row < 7 else "digit 1" if row % 5 == 0 else "digit 0" for row in range(len(files))]
    rows = [f"{file},{label}" for file, label in zip(files, labels, strict=True)]
    (tmp_path / "new.csv").write_text("file,label\n" + "\n".join(rows) + "\n")
    options: dict[str, Any] = {
        "out": tmp_path / "out",
        "store": store,
        "threads": 1,
        "follow_outside": True,
        "report": False,
    }
    found = headstart.calibrate(digit_run.path, tmp_path / "new.csv", **options)
    facts, notes = found.facts, " ".join(found.facts.notes)
    assert facts.unknown == {"odd": 7} and facts.n_items == len(files) - 7
    assert "7 images are left out" in " ".join(facts.warnings)
    assert facts.kept == ("digit 2",) and facts.biases["digit 2"] == 0
    assert facts.biases["digit 0"] > facts.biases["digit 1"]
    assert (
        "The bias of 1 class that no item has stays as it was: 'digit 2'. Its odds against the others stay as "
        in notes
    )
    assert run_of(found).predict(noisy, threads=1).classes == ("digit 0", "digit 1", "digit 2")


def test_groups_are_counted_together(digit_run: Run, noisy: Path, store: str, tmp_path: Path) -> None:
    def table(n_groups: int) -> Path:
        files = [file for file in sorted(noisy.rglob("*.png")) if file.stem != "0268"]  # a near copy of 0258
        rows = [f"{file},{file.parent.name},p{row % n_groups}" for row, file in enumerate(files)]
        path = tmp_path / f"{n_groups}.csv"
        path.write_text("file,label,patient\n" + "\n".join(rows) + "\n")
        return path

    options: dict[str, Any] = {"store": store, "threads": 1, "follow_outside": True}
    found = headstart.calibrate(digit_run.path, table(2), **options)
    assert found.run is None and found.facts.n_folds == 2
    assert "2 independent groups, 3 are needed" in found.summary.replace("\n", " ")
    with pytest.raises(DataError, match="all items belong to one group"):
        headstart.calibrate(digit_run.path, table(1), **options)


def test_what_cannot_be_calibrated_is_refused(
    digit_run: Run, text_run: Run, texts: Path, store: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no run at"):
        headstart.calibrate(tmp_path / "none", texts)
    with pytest.raises(DataError, match=r"takes images, and .* holds texts"):
        headstart.calibrate(digit_run.path, texts)
    lines = small_data.text_table(tmp_path / "t.csv", 60).read_text().splitlines()
    (tmp_path / "t.csv").write_text("\n".join([lines[0], *(f"new {line}" for line in lines[1:])]) + "\n")
    with pytest.raises(InputError, match=r"with --head standard.* cannot be calibrated"):
        headstart.calibrate(text_run.path, tmp_path / "t.csv", store=store)
    one = new_digits(tmp_path / "one", 5)
    for folder in ("digit 1", "digit 2"):
        for file in (one / folder).iterdir():
            file.unlink()
        (one / folder).rmdir()
    with pytest.raises(DataError, match="every item has the same class, 'digit 0'"):
        headstart.calibrate(digit_run.path, one, store=store, threads=1)
    with pytest.raises(OptionError, match="no option 'windows'"):
        headstart.calibrate(digit_run.path, one, windows=True)


def test_a_run_of_a_quantity_is_refused(store: str, tmp_path: Path) -> None:
    table = small_data.digit_table(tmp_path / "data")
    rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    lines = [
        f"{file},{int(label[-1]) + 0.25 * index / len(rows):.4f}"
        for index, (file, label, _) in enumerate(rows)
    ]
    table.write_text("file,height\n" + "\n".join(lines) + "\n")
    run = headstart.fit(
        table, small_data.LETTERS, target="height", task="regression", baseline=False, report=False,
        out=tmp_path / "run", store=store, **small_data.SETTINGS,
    )  # fmt: skip
    with pytest.raises(InputError, match="predicts a quantity, which has no probabilities"):
        headstart.calibrate(run.path, table)


def test_several_labels(store: str, tmp_path: Path) -> None:
    """A run of labels is calibrated by items whose labels are mostly drawn."""
    table = small_data.digit_table(tmp_path / "data")
    rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    names = {"digit 0": "round", "digit 1": "tall", "digit 2": "tall|open"}
    table.write_text("file,label\n" + "\n".join(f"{file},{names[label]}" for file, label, _ in rows) + "\n")
    run = headstart.fit(
        table, small_data.LETTERS, task="multilabel", baseline=False, report=False, out=tmp_path / "run",
        store=store, **small_data.SETTINGS,
    )  # fmt: skip
    files = sorted(new_digits(tmp_path / "new", 50, share_wrong=0.9, skipped=60).rglob("*.png"))
    new = tmp_path / "new.csv"
    lines = [f"new/{file.parent.name}/{file.name},{names[file.parent.name]}" for file in files]
    new.write_text("file,label\n" + "\n".join(lines) + "\n")
    found = headstart.calibrate(run.path, new, out=tmp_path / "out", store=store, threads=1)
    assert found.facts.outcome == "corrected" and found.facts.difference is not None
    assert found.facts.difference < 1e-3 and set(found.facts.change) == {"log_loss"}
    assert "Before the correction" in run_of(found).report.read_text(encoding="utf-8")


def test_the_command(digit_run: Run, store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from headstart.cli.app import app

    data = new_digits(tmp_path / "new", 4)
    words = ["calibrate", str(digit_run.path), str(data), "--store", store, "--threads", "1", "--json"]
    app(words, standalone_mode=False)
    content = json.loads(capsys.readouterr().out)
    assert content["run"] is None and content["recalibration"]["outcome"] == "undecided"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_calibration_that_stops_while_it_writes_leaves_nothing(
    digit_run: Run,
    noisy: Path,
    store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    seen: list[str] = []

    def stop(run: RunDirectory, *_: Any) -> None:
        seen.extend(path.name for path in run.path.iterdir())
        raise error

    monkeypatch.setattr("headstart.calibrating.saving.difference_from", stop)
    with pytest.raises(type(error)):
        headstart.calibrate(digit_run.path, noisy, out=tmp_path / "out", store=store, threads=1)
    assert "model.pt2" in seen and not (tmp_path / "out").exists()


def test_a_part_of_a_run_that_cannot_be_removed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, error = RunDirectory.create(tmp_path / "out"), OSError(errno.ENOSPC, "No space left on device")
    (run.path / "tokens").mkdir()
    monkeypatch.setattr("shutil.rmtree", lambda path: (_ for _ in ()).throw(PermissionError(path)))
    remove_half(run, error)
    assert str(run.path) in " ".join(error.__notes__) and run.unfinished
    monkeypatch.undo()
    run.finish()
    remove_half(run, error)
    assert run.path.is_dir()
    run.release()


def test_a_threshold_that_only_the_head_has_is_not_dropped_without_a_word() -> None:
    (note,) = note_on(None, None, Threshold("a", 0.25))
    assert "'a' from 0.25 on" in note and "the new run gives the usual answers" in note
    assert note_on(None, None, None) == ()


def test_the_threshold_of_a_run_is_chosen_again(store: str, tmp_path: Path) -> None:
    noisy = new_digits(tmp_path / "noisy", share_wrong=0.9, skipped=60)
    data = small_data.digit_folder(tmp_path / "data", n_classes=3, n_each=40)
    settings = {"store": store, "baseline": False, "report": False, **small_data.SETTINGS}
    rule = "digit 1:recall=0.8"
    run = headstart.fit(data, small_data.LETTERS, threshold=rule, out=tmp_path / "run", **settings)
    found = headstart.calibrate(run.path, noisy, out=tmp_path / "new", store=store, threads=1)
    new = run_of(found)
    old_value, value = (each.metrics["threshold"]["value"] for each in (run, new))
    assert value != old_value and new.metrics["threshold"]["rule"] == "recall=0.8"
    kept = RunDirectory.open(new.path).predictions()
    called = kept.probabilities[:, kept.classes.index("digit 1")] >= value
    of_class = np.array(kept.labels) == "digit 1"
    n_of_class = int(of_class.sum())
    assert called[of_class].sum() == np.ceil(0.8 * (n_of_class + 1))
    np.testing.assert_array_equal(np.array(kept.predicted) == "digit 1", called)
    assert any("threshold was chosen again" in note for note in found.facts.notes)
