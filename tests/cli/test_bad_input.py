"""Each thing a user can give wrong is one clear error that names it and what to do, and leaves nothing."""

from __future__ import annotations

import errno
import os
import pickle
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

import small_data
from headstart.errors import DiskFullError
from small_data import LETTERS

from .conftest import Command, refused

Maker = Callable[[Path], Path]
QUICK = ("--precision", "fp32", "--threads", 1, "--no-baseline", "--no-report")


def pictures(root: Path, counts: dict[str, int], ending: str = "jpg") -> Path:
    generator = np.random.default_rng(0)
    for name, n_items in counts.items():
        for index in range(n_items):
            path = root / name / f"{index:02}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            values = generator.integers(0, 255, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(values).save(path)
    return root


def cut_jpegs(root: Path, n_cut: int) -> Path:
    pictures(root, {"a": 15, "b": 15})
    for path in sorted(root.rglob("*.jpg"))[:n_cut]:
        path.write_bytes(path.read_bytes()[:-200])
    return root


def huge_png(path: Path) -> None:
    """A picture of 50,000 x 50,000 in a few kilobytes: its rows are announced, not there."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(50_001) * 20)
    start = b"\x89PNG\r\n\x1a\n"
    path.write_bytes(start + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def table(content: str | bytes) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / "data.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


ROWS = "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(20))
WRONG_DATA: dict[str, tuple[Maker, list[str]]] = {
    "one class": (
        lambda f: pictures(f / "d", {"a": 6}),
        ["all 6 items", "the same value 'a'", "At least two classes"],
    ),
    "an empty folder": (lambda f: f, ["is empty", "one folder for each class"]),
    "many cut jpegs": (
        lambda f: cut_jpegs(f / "d", 10),
        ["10 of 30 images", "a/00.jpg", "truncated JPEG", "repair them or remove them"],
    ),
    "no label column": (table("text,mood\n" + ROWS), ["data.csv", "--target", "Columns: mood"]),
    "a broken quote": (table("text,label\n" + ROWS + '"open,a\nx,b\n'), ["data.csv", "row 21", "quote"]),
    "too many values": (table("text,label\n" + ROWS + "a,b,c\n"), ["row 21 (line 22)", "3 values for 2"]),
    "latin-1": (table(("text,label\n" + ROWS + "café,a\n").encode("latin-1")), ["line 22", "iconv -f"]),
    "nothing in it": (table(""), ["data.csv is empty", "header"]),
    "only a header": (table("text,label\n"), ["no rows"]),
    "an empty label": (table("text,label\n" + ROWS + "x,\n"), ["row 21", "Fill in"]),
    "an unknown part": (
        table("text,label,split\n" + ROWS.replace("\n", ",trian\n")),
        ["'trian'", "train, val, validation, dev, test"],
    ),
    "only a test part": (
        table("text,label,split\n" + ROWS.replace("\n", ",test\n")),
        ["no train part", "'train'"],
    ),
    "one class in train": (
        table("text,label,split\n" + ROWS.replace("a\n", "a,test\n").replace("b\n", "b,train\n")),
        ["all 10 training items", "'b'", "at least two are needed"],
    ),
}


@pytest.mark.parametrize("wrong", WRONG_DATA)
def test_data(wrong: str, command: Command, text_source: Path, tmp_path: Path) -> None:
    make, told = WRONG_DATA[wrong]
    (tmp_path / "in").mkdir()
    data = make(tmp_path / "in")
    source = text_source if data.suffix == ".csv" else LETTERS
    refused(command("fit", data, "--source", source, "--out", tmp_path / "runs" / "x"), *told)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("data", "source", "told"),
    [("none", LETTERS, "none does not exist"), ("", "weigths", "There is no source at")],
)
def test_a_wrong_path_is_reported_before_anything_heavy_is_imported(
    tmp_path: Path, data: str, source: str, told: str
) -> None:
    (tmp_path / "weights").mkdir()
    source = source if source == LETTERS else str(tmp_path / source)
    words = ["fit", str(tmp_path / data), "--source", source]
    code = f"import sys; from headstart.cli.app import main; sys.argv[1:] = {words!r}; main()"
    timed = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(timed, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and told in done.stderr
    assert source == LETTERS or "Did you mean 'weights'?" in done.stderr
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "sklearn", "scipy", "datasets"}


def test_no_verb_loads_anything_heavy_before_it_runs() -> None:
    code = (
        "import importlib, pkgutil, sys, headstart.verbs as verbs\n"
        "for each in pkgutil.iter_modules(verbs.__path__): importlib.import_module(f'headstart.verbs.{each.name}')\n"
        "print(*sorted({'torch', 'sklearn', 'scipy', 'datasets', 'timm', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_mistyped_path(command: Command, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    refused(command("fit", tmp_path / "fotos"), "fotos does not exist", "Did you mean 'photos'?")


def test_odd_pictures_are_read_and_bad_ones_named(command: Command, tmp_path: Path) -> None:
    data = pictures(tmp_path / "d", {"a": 40, "b": 40, "lone": 1})
    generator = np.random.default_rng(1)
    (data / "a" / "empty.png").write_bytes(b"")
    (data / "a" / "cut.jpg").write_bytes((data / "a" / "00.jpg").read_bytes()[:-200])
    huge_png(data / "a" / "huge.png")
    frames = [Image.fromarray(generator.integers(0, 255, (20, 20), dtype=np.uint8)) for _ in range(3)]
    frames[0].save(data / "a" / "moving.gif", save_all=True, append_images=frames[1:])
    Image.fromarray(generator.integers(0, 255, (20, 20, 4), dtype=np.uint8), "CMYK").save(
        data / "a" / "print.jpg"
    )
    Image.fromarray((generator.random((20, 20)) * 65_535).astype(np.uint16)).save(data / "a" / "deep.png")
    done = command("fit", data, "--source", LETTERS, "--out", tmp_path / "x", *QUICK)
    assert done.code == 0, done.err
    assert "3 of 87 images cannot be read" in done.err
    for told in ("a/empty.png", "a/cut.jpg (truncated JPEG", "a/huge.png (2,500,000,000 pixels"):
        assert told in done.err
    assert "GIF of 3 frames" in done.err and "lone (1)" in done.err


def test_odd_recordings_are_read_and_bad_ones_named(
    command: Command, audio_source: Path, tmp_path: Path
) -> None:
    data = small_data.tone_folder(tmp_path / "d", n_each=10)
    noise = np.random.default_rng(0).normal(size=(8_000, 6)) * 0.1
    soundfile.write(data / "low" / "silent.wav", np.zeros(4_000), 8_000)
    soundfile.write(data / "low" / "eight.wav", noise[:4_000, 0], 8_000, subtype="PCM_U8")
    soundfile.write(data / "low" / "six.wav", noise, 16_000)
    soundfile.write(data / "low" / "none.wav", np.zeros(0), 8_000)
    done = command("fit", data, "--source", audio_source, "--out", tmp_path / "x", *QUICK)
    assert done.code == 0, done.err
    assert "1 of 24 recordings cannot be read: low/none.wav (the recording has no samples)" in done.err
    assert "Only silence in 1 of 23 recordings (low/silent.wav)" in done.err
    few = small_data.tone_folder(tmp_path / "few", n_each=3)
    soundfile.write(few / "low" / "long.wav", np.tile(noise[:, 0], 600), 8_000)
    plan = command("fit", few, "--source", audio_source, "--dry-run")
    assert "Longer than 30 s: 1 of 7 recordings (the longest 600 s)" in plan.out


def test_texts_of_any_length_and_encoding(command: Command, text_source: Path, tmp_path: Path) -> None:
    words = "a small dog " * 33_334
    rows = ROWS.replace(",a", ",01").replace(",b", ",1.50") + f"{words},01\ncafé,1.50\n"
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / f"{encoding}.csv").write_bytes(("text,label\n" + rows).encode(encoding))
    data = tmp_path / "utf-8-sig.csv"
    done = command("fit", data, "--source", text_source, "--out", tmp_path / "x", *QUICK)
    assert done.code == 0 and "1 of 22 texts" in done.err and "beginning is used" in done.err
    given = command("predict", tmp_path / "x", tmp_path / "utf-16.csv")
    assert given.out.splitlines()[0] == '"item","label","predicted","p_01","p_1.50"'


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--source", "bundled:leters"], ["Did you mean 'letters'"]),
        (["--source", "timm:resnt50"], ["no architecture 'resnt50'", "Did you mean 'resnet50'"]),
        (["--source", "/nowhere/at/all"], ["no source at /nowhere/at/all", "--source bundled:letters"]),
        (["--source", "him:x"], ["timm:...", "got 'him:x'"]),
        (["--freeze", "auto"], ["--budget 5m"]),
        (["--freeze", "auto", "--budget", "soon"], ["'soon'", "90s"]),
        (["--freeze", "until:blok3"], ["no stage 'blok3'", "block1, block2", "Did you mean 'block3'"]),
        (["--freeze", "frist:2"], ["'frist:2'", "first:K", "Did you mean 'first:2'"]),
        (["--freeze", "first:9"], ["K=9", "n_stages=4"]),
        (["--target", "colour"], ["no column 'colour'", "--target"]),
        (["--group", "patient"], ["no column 'patient'", "--group"]),
        (["--device", "gpu"], ["auto, cpu, cuda or mps", "'gpu'"]),
        (["--precision", "fp64", "--folds", 1], ["precision", "'fp64'", "folds", "got 1"]),
        (["--modality", "text"], ["holds no texts"]),
        (["--recipe", "/nowhere.yaml"], ["/nowhere.yaml", "No such file"]),
        (["--config", "/nowhere.yaml"], ["/nowhere.yaml", "No such file"]),
        (["--resume", "/nowhere"], ["no run at /nowhere"]),
        (["--head", "standard"], ["no standard head", "--head auto"]),
    ],
)
def test_options(
    words: list[Any], told: list[str], command: Command, digit_folder: Path, tmp_path: Path
) -> None:
    source = [] if "--source" in words else ["--source", LETTERS]
    out = [] if "--resume" in words else ["--out", tmp_path / "x"]
    refused(command("fit", digit_folder, *source, *out, *words), *told)
    assert list(tmp_path.iterdir()) == []


def test_options_that_are_none(command: Command, digit_folder: Path) -> None:
    done = command("fit", digit_folder, "--freez", "all")
    assert done.code == 2 and "--freeze" in done.err and "Usage: headstart fit" in done.err
    refused(command("fit"), "headstart fit DATA --source SOURCE")


class _Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch was-run",)


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_weights_cut_in_half(ending: str, command: Command, digit_folder: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    tensors = {"weight": torch.zeros(4_000)}
    path = tmp_path / f"weights.{ending}"
    if ending == "pth":
        torch.save(tensors, path)
    else:
        save_file(tensors, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = command("fit", digit_folder, "--source", path, "--arch", "resnet10t")
    refused(done, str(path), "cut short", "etch it again")


def test_weights_with_code_in_them(
    command: Command, digit_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.pth").write_bytes(pickle.dumps({"weight": _Code()}))
    done = command("fit", digit_folder, "--source", "weights.pth", "--arch", "resnet10t")
    refused(done, "weights.pth", "pickle that holds code", "system", "safetensors")
    assert not (tmp_path / "was-run").exists()


def test_a_source_of_another_kind(command: Command, digit_folder: Path, text_source: Path) -> None:
    refused(command("fit", digit_folder, "--source", text_source), "takes text", "holds image", "--source")


@pytest.mark.parametrize("option", ["--out", "--store"])
def test_a_file_in_the_way(option: str, command: Command, digit_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    words = {"--out": tmp_path / "run", "--store": tmp_path / "store", option: tmp_path / "file" / "x"}
    done = command("fit", digit_folder, "--source", LETTERS, *(w for pair in words.items() for w in pair))
    refused(done, str(tmp_path / "file"), "is a file, not a folder", option)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no file system here that nobody can write")
@pytest.mark.parametrize("folder", ["/proc", "/proc/self/store"])
def test_a_store_that_nobody_can_write(
    folder: str, command: Command, digit_folder: Path, tmp_path: Path
) -> None:
    """Of /proc, root is told that it may write there."""
    done = command("fit", digit_folder, "--source", LETTERS, "--out", tmp_path / "run", "--store", folder)
    refused(done, folder, "cannot be written", "--store", "HEADSTART_CACHE")
    assert list(tmp_path.iterdir()) == []


def test_a_store_on_a_disk_without_room(
    command: Command, digit_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("headstart.fitting.preflight._try_to_write", full)
    words = ("--source", LETTERS, "--out", tmp_path / "run", "--store", tmp_path / "store")
    refused(command("fit", digit_folder, *words), "features do not fit", "free some space", code=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("option", "n_bytes"), [("--store", 2_000), ("--out", 150_000)])
def test_a_full_disk(option: str, n_bytes: int, command: Command, digit_folder: Path, tmp_path: Path) -> None:
    """A limit on the size of a file fails as a full disk does; with free space the run is resumed."""
    resource = pytest.importorskip("resource")
    words = ("--source", LETTERS, "--out", tmp_path / "x", "--store", tmp_path / "store")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        done = command("fit", digit_folder, *words, *QUICK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    refused(done, "free some", option, f"headstart fit --resume {tmp_path / 'x'}", code=1)
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".part")]
    again = command("fit", "--resume", tmp_path / "x", "--json")
    assert again.code == 0, again.err
    assert (tmp_path / "x" / "model.pt2").is_file()


def test_a_full_disk_under_the_weights(tmp_path: Path) -> None:
    import torch

    from headstart.runs.weights import save_tensors

    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    try:
        with pytest.raises(DiskFullError, match=r"the disk is full, .* --out"):
            save_tensors(tmp_path / "model.safetensors", {"weight": torch.zeros(4_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_runs_that_are_none(command: Command, digit_folder: Path, tmp_path: Path) -> None:
    refused(command("predict", tmp_path / "x", digit_folder), "no run at")
    refused(command("report", tmp_path / "x"), "no run at")
    refused(command("predict", tmp_path, digit_folder), "is not a run", "--out")
    refused(command("cache", "--store", tmp_path / "x"), "is not a folder")
    refused(command("cache", "--prune", "--keep", "much"), "5GB")


def test_a_failure_of_ours_says_so(
    command: Command, digit_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("half of nothing")

    monkeypatch.setattr("headstart.fitting.saving.finish", fail)
    words = ("fit", digit_folder, "--source", LETTERS, "--out", tmp_path / "x", *QUICK)
    refused(command(*words), "internal error", "half of nothing", "--debug", "--resume", code=1)
    with pytest.raises(ZeroDivisionError):
        command(*words, "--debug")


def test_escape_sequences_in_names_are_shown_and_not_obeyed(command: Command, tmp_path: Path) -> None:
    refused(command("fit", tmp_path / "no\x1b[31mred"), r"no\x1b[31mred does not exist")
    data = pictures(tmp_path / "d", {"a": 20, "b": 20})
    (data / "a" / "\x1b]0;owned\x07.png").write_bytes(b"no picture")
    done = command("fit", data, "--source", LETTERS, "--out", tmp_path / "x", *QUICK)
    assert done.code == 0 and r"a/\x1b]0;owned\x07.png" in done.err
    assert not {"\x1b", "\x07"} & set(done.err + done.out)


def test_a_full_disk_under_any_file_is_no_internal_error(command: Command, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    try:
        done = command("demo", "--out", tmp_path / "x")  # whose data are the first file
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.code == 1 and "the disk is full" in done.err and "internal error" not in done.err


def test_files_outside_of_the_data_are_read_only_if_asked_for(command: Command, tmp_path: Path) -> None:
    pictures(tmp_path / "elsewhere", {"a": 6, "b": 6})
    rows = "".join(f"../elsewhere/{label}/{index:02}.jpg,{label}\n" for label in "ab" for index in range(6))
    (tmp_path / "in").mkdir()
    data = table("file,label\n" + rows)(tmp_path / "in")
    words = ("fit", data, "--source", LETTERS, "--dry-run")
    refused(command(*words), "12 of 12 files lie outside of", "pass --follow-outside")
    assert command(*words, "--follow-outside").code == 0


def test_several_files_to_predict_are_refused_in_one_line(command: Command, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.jpeg" for number in range(400)]
    done = command("predict", tmp_path / "run", *files)
    refused(done, "got 400 (the first is ", "name the folder that holds them")
    assert len(done.err) < 500


def test_a_run_that_is_not_there_says_what_makes_one(command: Command, tmp_path: Path) -> None:
    refused(command("predict", tmp_path / "run", tmp_path), "there is no run at", "headstart fit makes one")


def test_a_rate_that_is_no_number(command: Command, tmp_path: Path) -> None:
    done = command("fit", tmp_path, "--lr", "1.0.0")
    refused(done, "option lr: must be a number or 'auto', got '1.0.0'")


def test_help_names_the_values_of_options(command: Command) -> None:
    shown = command("fit", "--help").out
    assert "--seed NUMBER" in shown and "--source SOURCE" in shown and "--config FILE" in shown
    assert not [
        line for line in shown.splitlines() if line.lstrip().startswith("-") and "<" in line.split("  ")[1]
    ]
