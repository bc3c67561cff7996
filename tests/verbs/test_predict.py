"""Prediction of folders, tables, single files and lists, by a finished run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import headstart
import small_data
from headstart.data.audio import decode_audio, fit_window
from headstart.errors import DataError, InputError, OptionError
from headstart.runs import Predictions, RunDirectory
from headstart.runs.run import Run


def test_predictions_agree_with_those_of_the_held_out_part(digit_run: Run, digit_folder: Path) -> None:
    saved = RunDirectory.open(digit_run.path).predictions()
    predicted = headstart.predict(digit_run.path, digit_folder, threads=1)
    assert len(predicted.items) == 42 and predicted.classes == saved.classes
    rows = [list(predicted.items).index(item) for item in saved.items]
    np.testing.assert_allclose(predicted.probabilities[rows], saved.probabilities, atol=1e-3)
    assert [predicted.labels[row] for row in rows] == list(saved.labels or ())  # type: ignore[index]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_written_and_read_back(ending: str, digit_run: Run, digit_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / f"p.{ending}"
    given = digit_run.predict(digit_folder / "digit 1", out=out)
    back = Predictions.read(out)
    assert back.items == given.items and back.labels is None
    np.testing.assert_allclose(back.probabilities, given.probabilities, rtol=1e-5)


def test_one_file_and_a_list(digit_run: Run, digit_folder: Path) -> None:
    path = sorted(digit_folder.rglob("*.png"))[0]
    one, listed = digit_run.predict(path), digit_run.predict([path, str(path)])
    assert one.items == [path.name]
    np.testing.assert_allclose(listed.probabilities, np.repeat(one.probabilities, 2, axis=0), atol=1e-6)


def test_lines_of_a_text_file(text_run: Run, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("a small dog\n\nold trees\n")
    predicted = text_run.predict(lines)
    assert list(predicted.items) == ["line 1", "line 2"]
    np.testing.assert_allclose(
        predicted.probabilities, text_run.predict(["a small dog", "old trees"]).probabilities, atol=1e-6
    )


def test_what_cannot_be_read_is_named_and_has_an_empty_row(
    digit_run: Run, digit_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = sorted(digit_folder.rglob("*.png"))[0]
    (tmp_path / "a.png").write_bytes(sound.read_bytes())
    (tmp_path / "b.png").write_bytes(sound.read_bytes()[:60])
    found = digit_run.predict(tmp_path, out=(out := tmp_path.parent / f"{tmp_path.name}.csv"))
    assert found.items == ["a.png", "b.png"] and found.is_readable.tolist() == [True, False]
    assert found.predicted[0] in found.classes and found.predicted[1] is None
    assert "cannot be read, and gets no prediction: b.png: " in capsys.readouterr().err
    assert out.read_text().splitlines()[2].startswith('"b.png",,,')
    assert Predictions.read(out).is_readable.tolist() == [True, False]
    with pytest.raises(DataError, match=r"no item can be read\. The first is b\.png"):
        digit_run.predict(tmp_path / "b.png")


def test_one_row_per_row_of_a_table_with_its_columns(text_run: Run, tmp_path: Path) -> None:
    table = tmp_path / "new.csv"
    table.write_text(
        'id,text,speaker,predicted,p_x,=a\n7,a small dog,ann,0,1,2\n03,,bo,0,1,2\n"1,5",old trees,,0,1,2\n'
    )
    found = text_run.predict(table, out=tmp_path / "out.csv")
    names = ["id", "given_predicted", "given_p_x", "given_=a", "speaker"]
    written = (tmp_path / "out.csv").read_text().splitlines()
    assert sorted(written[0].replace('"', "").split(",")[1:-3]) == sorted(names) and len(written) == 4
    assert found.given["id"] == ["7", "03", "1,5"] and found.is_readable.tolist() == [True, False, True]
    back = Predictions.read(tmp_path / "out.csv")
    assert back.given["id"] == ["7", "03", "1,5"] and back.given["speaker"] == ["ann", "bo", ""]
    assert back.predicted == found.predicted and back.classes == found.classes


def test_texts_of_several_columns_are_joined_as_in_the_fit(text_source: Path, tmp_path: Path) -> None:
    table = small_data.text_table(tmp_path / "one.csv")
    rows = [row.split(",") for row in table.read_text().splitlines()[1:]]
    two = tmp_path / "two.csv"
    two.write_text(
        "title,body,label\n"
        + "".join(f"{text.split()[0]},{' '.join(text.split()[1:])},{label}\n" for text, label in rows)
    )
    run = headstart.fit(
        two, str(text_source), text="title,body", report=False, out=tmp_path / "run", **small_data.SETTINGS
    )
    assert run.metrics["data"]["text"] == ["title", "body"]
    lines = ["\n".join(text.split(maxsplit=1)) for text, _ in rows]
    expected = run.predict(lines).probabilities
    np.testing.assert_allclose(run.predict(two).probabilities, expected, atol=1e-6)
    with pytest.raises(DataError, match=r"no column 'title' \(--text\)"):
        run.predict(table)
    named = run.predict(table, text="text")
    assert len(named.items) == len(rows)


def test_errors_before_the_work(digit_run: Run, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.csv or \.parquet"):
        digit_run.predict(tmp_path, out=tmp_path / "p.xls")
    with pytest.raises(OptionError, match="no folder"):
        digit_run.predict(tmp_path, out=tmp_path / "no" / "p.csv")
    with pytest.raises(InputError, match="no run at"):
        headstart.predict(tmp_path / "none", tmp_path)
    (tmp_path / "t.csv").write_text("text\nhello\n")
    with pytest.raises(DataError, match="takes images, and the data holds texts"):
        digit_run.predict(tmp_path / "t.csv")


def test_a_run_that_names_other_classes_than_its_program_is_refused(
    digit_run: Run, digit_folder: Path, tmp_path: Path
) -> None:
    for kept in ("source.json", "model.pt2"):
        shutil.copy(digit_run.path / kept, tmp_path)
    (tmp_path / "head.json").write_text('{"classes": ["a"]}')
    (tmp_path / "metrics.json").write_text('{"format_version": 1}')  # of an older version: without digests
    with pytest.raises(InputError, match="gives 3 values per item, and the run names 1 class"):
        headstart.predict(tmp_path, next(digit_folder.rglob("*.png")), threads=1)


@pytest.mark.parametrize("threads", [0, -1])
def test_a_wrong_number_of_threads_is_refused(digit_run: Run, digit_folder: Path, threads: int) -> None:
    with pytest.raises(OptionError, match="threads must be 1 or more"):
        headstart.predict(digit_run.path, digit_folder, threads=threads)


def test_recordings_that_are_longer_than_the_window_are_counted(
    tone_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, seconds in (("short", 0.5), ("long", 1.6)):
        times = np.arange(round(8_000 * seconds)) / 8_000
        soundfile.write(tmp_path / f"{name}.wav", 0.3 * np.sin(2 * np.pi * 200 * times), 8_000)
    capsys.readouterr()
    tone_run.predict(tmp_path / "short.wav")
    assert "longer than the window" not in capsys.readouterr().err
    tone_run.predict(tmp_path)
    assert "1 of 2 recordings is longer than the window of the run, 1 s" in capsys.readouterr().err


def test_neither_the_data_nor_a_run_is_replaced(digit_run: Run, digit_folder: Path, tmp_path: Path) -> None:
    paths = sorted(digit_folder.rglob("*.png"))[:3]
    table = tmp_path / "data" / "items.csv"
    table.parent.mkdir()
    table.write_text("file\n" + "".join(f"{path}\n" for path in paths))
    (tmp_path / "link.csv").symlink_to(table)
    evidence = digit_run.path / "predictions.parquet"
    before = table.read_bytes(), evidence.read_bytes()
    for data, out, told in (
        (table, table, "part of the data"),
        (table, tmp_path / "data" / ".." / "data" / "items.csv", "part of the data"),
        (table.parent, table, "part of the data"),
        (table, tmp_path / "link.csv", "part of the data"),
        ([paths[0], table], table, "part of the data"),
        (table, evidence, "a file of a run"),
    ):
        with pytest.raises(OptionError, match=f"{told}, which is never replaced"):
            digit_run.predict(data, out=out, force=True)
    assert (table.read_bytes(), evidence.read_bytes()) == before


def test_another_file_is_replaced_only_by_force(digit_run: Run, digit_folder: Path, tmp_path: Path) -> None:
    out, (item, *_) = tmp_path / "p.csv", sorted(digit_folder.rglob("*.png"))
    out.write_text("mine")
    with pytest.raises(OptionError, match=r"p\.csv exists already: .* --force \(in Python: force=True\)"):
        digit_run.predict(item, out=out)
    assert out.read_text() == "mine"
    digit_run.predict(item, out=out, force=True)
    assert Predictions.read(out).items == [item.name]
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OptionError, match=r"folder\.csv is a folder"):
        digit_run.predict(item, out=tmp_path / "folder.csv", force=True)


@pytest.mark.parametrize("name", ["x" * 300, "~no-such-user/x", "a\0b", ""])
def test_a_name_that_no_file_can_have(name: str, digit_run: Run, digit_folder: Path) -> None:
    with pytest.raises(OptionError, match="the data"):
        digit_run.predict(name)
    with pytest.raises(OptionError, match="the run"):
        headstart.predict(name, digit_folder)
    with pytest.raises(OptionError, match="--out"):
        digit_run.predict(digit_folder, out=name)
    assert len(digit_run.predict([str(sorted(digit_folder.rglob("*.png"))[0])]).items) == 1


def test_recordings_far_beyond_the_window_are_cut_alike_everywhere(tmp_path: Path) -> None:
    """90 s, by a model that learned from half a second: evaluation, `predict` and the program agree."""
    folder = small_data.tone_folder(tmp_path / "tones")
    rows = [f"{path},{path.parent.name},train\n" for path in sorted(folder.rglob("*.wav"))]
    generator, long = np.random.default_rng(1), []
    for index in range(4):
        times = np.arange(90 * 8_000) / 8_000
        pitch_hz = np.where(
            times < 1.0, 200 if index % 2 else 900, 2_000
        )  # what is cut away would change the answer
        wave = 0.3 * np.sin(2 * np.pi * pitch_hz * times) + 0.02 * generator.normal(size=times.size)
        path = tmp_path / f"long-{index}.wav"
        soundfile.write(path, wave.astype(np.float32), 8_000)
        long.append(path)
        rows.append(f"{path},{'low' if index % 2 else 'high'},test\n")
    table = small_data.write(tmp_path / "d.csv", "file,label,split\n" + "".join(rows))
    run = headstart.fit(
        table, small_data.audio_source(tmp_path / "source"), out=tmp_path / "run", store=str(tmp_path / "store"),
        baseline=False, report=False, **small_data.SETTINGS,
    )  # fmt: skip
    saved = RunDirectory.open(run.path).predictions()
    predicted = headstart.predict(run.path, list(map(str, long)))
    np.testing.assert_allclose(predicted.probabilities, saved.probabilities, atol=1e-4)
    about = json.loads((run.path / "source.json").read_text())["preprocessing"]
    window, rate_hz = about["window_samples"], about["rate_hz"]
    clips = [fit_window(decode_audio(path, rate_hz), window) for path in long]
    program = torch.export.load(run.path / "model.pt2").module()
    with torch.inference_mode():
        waves = torch.from_numpy(np.stack([wave for wave, _ in clips]))
        values = program(waves, torch.tensor([n_samples for _, n_samples in clips]))
    assert window < 90 * rate_hz and np.allclose(values.numpy(), saved.probabilities, atol=1e-4)


def test_every_window_of_a_long_recording(
    tone_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preprocessing = json.loads((tone_run.path / "source.json").read_text())["preprocessing"]
    n_samples, rate_hz = preprocessing["window_samples"], preprocessing["rate_hz"]
    tones = [np.sin(np.arange(n_samples) * pitch).astype(np.float32) / 2 for pitch in (0.05, 0.3)]
    folder = tmp_path / "tones"
    folder.mkdir()
    for name, waveform in (("0.wav", tones[0]), ("1.wav", tones[1]), ("both.wav", np.concatenate(tones))):
        soundfile.write(folder / name, waveform, rate_hz, subtype="FLOAT")
    found = headstart.predict(tone_run.path, folder, windows=True, out=tmp_path / "out.csv", threads=1)
    assert "only their first" not in capsys.readouterr().err and found.windows is not None
    one, other, both = found.probabilities
    np.testing.assert_allclose(both, (one + other) / 2, atol=1e-5)
    assert len(found.windows.items) == 4 and "both.wav [" in found.windows.items[3]
    np.testing.assert_allclose(found.windows.probabilities[2:], [one, other], atol=1e-5)
    written = type(found).read(tmp_path / "out.windows.csv")
    assert list(written.items) == list(found.windows.items)
    with pytest.raises(OptionError, match=r"out.windows.csv exists already"):
        (tmp_path / "out.csv").unlink()
        headstart.predict(tone_run.path, folder, windows=True, out=tmp_path / "out.csv", threads=1)
    plain = headstart.predict(tone_run.path, folder, threads=1)
    np.testing.assert_allclose(plain.probabilities[2], one, atol=1e-5)
    assert plain.windows is None and "--windows" in capsys.readouterr().err


def test_windows_of_what_has_none(digit_run: Run, digit_folder: Path) -> None:
    with pytest.raises(OptionError, match="--windows cannot be used with a run on image"):
        headstart.predict(digit_run.path, digit_folder, windows=True)
