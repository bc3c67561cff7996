"""A run is scored on new labelled items; classes that it does not know count as wrong."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import headstart
import small_data
from headstart.errors import DataError, InputError, OptionError
from headstart.run_files import LEARNED_ITEMS
from headstart.runs import RunDirectory
from headstart.runs.learned_items import LearnedItems
from headstart.runs.run import Run


def new_digits(root: Path, n_each: int = 12, skipped: int = 20) -> Path:
    """Handwritten digits that no test learns from, one folder per class."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    for number in range(3):
        for index in np.flatnonzero(bunch.target == number)[skipped : skipped + n_each]:
            path = root / f"digit {number}" / f"{index:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((bunch.images[index] * 15).astype(np.uint8)).save(path)
    return root


def test_new_items_are_scored_as_predict_predicts_them(digit_run: Run, tmp_path: Path) -> None:
    data = new_digits(tmp_path / "new")
    found = headstart.evaluate(digit_run.path, data, out=tmp_path / "out", threads=1)
    predicted = digit_run.predict(data, threads=1)
    right = np.mean([a == b for a, b in zip(predicted.predicted, predicted.labels or (), strict=True)])
    assert found.scores["accuracy"].value == pytest.approx(right) and len(predicted.items) == 36
    assert list(found.predictions.items) == list(predicted.items)
    np.testing.assert_allclose(found.predictions.probabilities, predicted.probabilities, rtol=1e-5)
    own, change = digit_run.metrics["test"]["accuracy"], found.facts.change["accuracy"]
    assert change.value == pytest.approx(right - own["value"])
    n_own = digit_run.metrics["n_test"]
    assert change.why == f"{n_own} items, 10 are needed for a verdict" and found.facts.outcome == "undecided"
    assert "headstart evaluated" in found.report.read_text(encoding="utf-8")
    with (found.path / "scores.csv").open() as file:
        rows = {row["metric"]: row for row in csv.DictReader(file)}
    assert float(rows["accuracy"]["value"]) == pytest.approx(right) and found.table.shape[0] == len(rows)


def test_what_the_run_has_learned_from_is_left_out(
    digit_run: Run, digit_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run's own data: its held-out part is left, with the run's own score, and nothing is compared."""
    found = headstart.evaluate(digit_run.path, digit_folder, out=tmp_path / "out", report=False, threads=1)
    n_test, n_items = digit_run.metrics["n_test"], 42
    assert found.metrics["n_test"] == n_test == found.facts.n_shared
    assert found.facts.n_learned == n_items - n_test
    own = digit_run.metrics["test"]["accuracy"]["value"]
    assert found.scores["accuracy"].value == pytest.approx(own)
    assert found.facts.change == {} and found.facts.outcome == ""
    assert f"{n_items - n_test} of {n_items} images are left out" in capsys.readouterr().err
    train = tmp_path / "train"
    held_out = set(RunDirectory.open(digit_run.path).predictions().items)
    for file in digit_folder.rglob("*.png"):
        name = file.relative_to(digit_folder)
        if str(name) not in held_out:
            (train / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, train / name)
    with pytest.raises(DataError, match="has learned from all"):
        headstart.evaluate(digit_run.path, train, out=tmp_path / "none", threads=1)
    assert not (tmp_path / "none").exists()


def test_classes_that_the_run_does_not_know_count_as_wrong(digit_run: Run, tmp_path: Path) -> None:
    data = new_digits(tmp_path / "new")
    plain = headstart.evaluate(digit_run.path, data, out=tmp_path / "plain", report=False, threads=1)
    moved = sorted((data / "digit 2").glob("*.png"))[:6]
    (data / "odd").mkdir()
    for file in moved:
        file.rename(data / "odd" / file.name)
    found = headstart.evaluate(digit_run.path, data, out=tmp_path / "out", threads=1)
    assert found.facts.unknown == {"odd": 6} and found.facts.n_known == 30
    table = found.predictions
    assert table.classes[-1] == "odd" and (table.probabilities[:, -1] == 0).all()
    right = [a == b for a, b in zip(table.predicted, table.labels or (), strict=True)]
    assert found.scores["accuracy"].value == pytest.approx(np.mean(right))
    assert found.facts.known is not None and found.facts.known.value == pytest.approx(np.sum(right) / 30)
    assert plain.scores["accuracy"].value is not None
    assert "does not know 1 class of the data: 'odd' (6)" in found.summary.replace("\n    ", " ")


def test_classes_that_are_only_written_in_another_way_are_told(digit_run: Run, tmp_path: Path) -> None:
    data = new_digits(tmp_path / "new", 4)
    (data / "digit 2").rename(data / "Digit 2 ")
    found = headstart.evaluate(digit_run.path, data, out=tmp_path / "out", report=False, threads=1)
    assert "'Digit 2 ' and the run's 'digit 2' differ only in how they are written" in found.facts.warnings[0]
    assert found.facts.change == {}
    for folder in list(data.iterdir()):
        folder.rename(data / folder.name.upper())
    with pytest.raises(OptionError, match="differ only in how they are written"):
        headstart.evaluate(digit_run.path, data, out=tmp_path / "none", threads=1)


def test_columns_are_those_of_the_run_where_the_data_has_them(text_run: Run, tmp_path: Path) -> None:
    rows = small_data.text_table(tmp_path / "t.csv", 60).read_text().splitlines()[1:]
    table = tmp_path / "new.csv"
    # `class` would be taken if the run did not say `label`
    table.write_text("text,class,label\n" + "".join(f"new {row.replace(',', ',x,')}\n" for row in rows))
    found = headstart.evaluate(text_run.path, table, out=tmp_path / "out", threads=1)
    assert found.metrics["data"]["target"] == "label" and found.metrics["n_test"] == 60
    with pytest.raises(OptionError, match="no label of column 'class' is known to the run: it has x"):
        headstart.evaluate(text_run.path, table, target="class", out=tmp_path / "out", threads=1)
    with pytest.raises(DataError, match=r"no column 'speaker' \(--group\)"):
        headstart.evaluate(text_run.path, table, group="speaker", out=tmp_path / "out", threads=1)


def test_groups_are_counted_together(text_run: Run, tmp_path: Path) -> None:
    rows = small_data.text_table(tmp_path / "t.csv", 60).read_text().splitlines()[1:]
    table = tmp_path / "new.csv"
    table.write_text(
        "text,label,writer\n" + "".join(f"new {row},{index % 2}\n" for index, row in enumerate(rows))
    )
    found = headstart.evaluate(text_run.path, table, group="writer", out=tmp_path / "out", threads=1)
    assert found.scores["accuracy"].low is None and found.facts.outcome == "undecided"
    assert "2 independent groups, 3 are needed" in found.summary.replace("\n", " ")


def test_every_window_of_long_recordings(tone_run: Run, tmp_path: Path) -> None:
    import soundfile

    generator = np.random.default_rng(5)
    for name, pitch_hz in (("low", 200), ("high", 900)):
        (tmp_path / "new" / name).mkdir(parents=True)
        for index in range(6):
            tone = 0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(16_000) / 8_000)
            noisy = (tone + 0.02 * generator.normal(size=tone.size)).astype(np.float32)
            soundfile.write(tmp_path / "new" / name / f"{index}.wav", noisy, 8_000)
    found = headstart.evaluate(tone_run.path, tmp_path / "new", windows=True, out=tmp_path / "out", threads=1)
    expected = tone_run.predict(tmp_path / "new", windows=True, threads=1)
    np.testing.assert_allclose(found.predictions.probabilities, expected.probabilities, rtol=1e-5)
    assert found.facts.change == {}
    assert (found.path / "windows.csv").is_file() and "the mean of its windows" in " ".join(found.facts.notes)


def test_errors_come_before_the_work(digit_run: Run, text_run: Run, texts: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run at"):
        headstart.evaluate(tmp_path / "none", texts)
    with pytest.raises(DataError, match=r"takes images, and .* holds texts"):
        headstart.evaluate(digit_run.path, texts)
    with pytest.raises(OptionError, match="--windows cannot be used"):
        headstart.evaluate(text_run.path, texts, windows=True)
    bare = tmp_path / "bare.csv"
    bare.write_text("text\nsome words\nother words\n")
    with pytest.raises(DataError, match="has no labels: name"):
        headstart.evaluate(text_run.path, bare)
    bare.write_text("text,label\nsome words,early\nother words,\n")
    with pytest.raises(DataError, match="'label' is empty for 1 of 2 items"):
        headstart.evaluate(text_run.path, bare)
    evaluated = headstart.evaluate(
        digit_run.path, new_digits(tmp_path / "new", 4), out=tmp_path / "out", report=False, threads=1
    )
    with pytest.raises(InputError, match="is an evaluation, which holds no model"):
        headstart.predict(evaluated.path, tmp_path / "new")


def test_a_run_of_an_older_version_says_what_is_not_known(digit_run: Run, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(digit_run.path, old)
    (old / LEARNED_ITEMS).unlink()
    with pytest.raises(InputError, match=r"learned_items\.safetensors is missing: copy the run again"):
        LearnedItems.load(old)
    content = json.loads((old / "metrics.json").read_text())
    del content["files"][LEARNED_ITEMS]
    (old / "metrics.json").write_text(json.dumps(content))
    found = headstart.evaluate(
        old, new_digits(tmp_path / "new", 4), out=tmp_path / "out", report=False, threads=1
    )
    assert (
        "is not known" in " ".join(found.facts.warnings) and found.metrics["evaluation"]["n_learned"] is None
    )
    assert found.facts.change == {} and found.facts.outcome == ""


def test_a_damaged_list_of_items_is_refused(digit_run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(digit_run.path, copy)
    content = (copy / LEARNED_ITEMS).read_bytes()
    (copy / LEARNED_ITEMS).write_bytes(content[:-8])
    with pytest.raises(InputError, match="is not the file that the run was finished with"):
        LearnedItems.load(copy)


def test_the_command(digit_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from headstart.cli.app import app

    data = new_digits(tmp_path / "new", 4)
    words = [
        "evaluate",
        str(digit_run.path),
        str(data),
        "--out",
        str(tmp_path / "out"),
        "--json",
        "--threads",
        "1",
    ]
    app(words, standalone_mode=False)
    content = json.loads(capsys.readouterr().out)
    assert content["kind"] == "evaluate" and content["n_test"] == 12
    assert Path(content["run"]) == tmp_path / "out"
    assert re.fullmatch(r"On new the run reaches accuracy .*", content["evaluation"]["sentence"])


def test_an_adapted_run_knows_the_items_that_it_was_adapted_to(
    digit_folder: Path, tmp_path: Path, store: str
) -> None:
    target = new_digits(tmp_path / "target")
    adapted = headstart.adapt(
        digit_folder,
        target,
        source=small_data.LETTERS,
        method="none",
        report=False,
        out=tmp_path / "adapted",
        store=store,
    )
    found = headstart.evaluate(adapted.path, target, out=tmp_path / "out", report=False, threads=1)
    assert found.facts.n_shared == found.metrics["n_test"] == 36 and found.facts.change == {}
    with pytest.raises(DataError, match="has learned from all"):
        headstart.evaluate(adapted.path, digit_folder, out=tmp_path / "none", threads=1)


def test_where_it_does_worse_the_next_command_adapts_with_the_same_columns(
    digit_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run's own score is raised, so that the new one is worse beyond chance."""
    high = {"value": 0.999, "low": 0.99, "high": 1.0}
    copy = tmp_path / "copy"
    shutil.copytree(digit_run.path, copy)
    content = json.loads((copy / "metrics.json").read_text())
    content["test"]["accuracy"], content["n_test"] = high, 500
    (copy / "metrics.json").write_text(json.dumps(content))
    data = new_digits(tmp_path / "new", 20)
    rows = [f"{file},{file.parent.name}" for file in sorted(data.rglob("*.png"))]
    (tmp_path / "new.csv").write_text("file,digit,label\n" + "\n".join(f"{row},x" for row in rows) + "\n")
    found = headstart.evaluate(copy, tmp_path / "new.csv", target="digit", out=tmp_path / "out", threads=1)
    assert found.facts.outcome == "worse"
    assert f"headstart adapt {copy} {tmp_path / 'new.csv'} --target digit" in found.summary
    page = found.report.read_text(encoding="utf-8")
    assert "Worse than on its own held-out items" in page and "--target digit" in page


def test_an_evaluation_that_stops_while_it_writes_leaves_nothing(
    digit_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, data = tmp_path / "out", new_digits(tmp_path / "new", 4)

    def stopped(*_: object, **__: object) -> str:
        assert (out / "predictions.parquet").is_file()
        raise KeyboardInterrupt

    monkeypatch.setattr("headstart.fitting.reported_run.finish", stopped)
    with pytest.raises(KeyboardInterrupt):
        headstart.evaluate(digit_run.path, data, out=out, threads=1)
    assert not out.exists()
