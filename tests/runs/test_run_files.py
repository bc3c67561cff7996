"""The files of a run are the ones it was finished with, or they are not used."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import headstart
import tiny
from headstart.data import ImagePreprocessing
from headstart.errors import HeadstartError, InputError, SourceError
from headstart.run_files import DIGESTS, WRITTEN_WITH_DIGESTS, check_files, digests_of, read_checked
from headstart.runs.run import Run
from headstart.runs.running import run_items
from headstart.sources import load_source


@pytest.fixture
def run(digit_run: Run, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return Path(shutil.copytree(digit_run.path, tmp_path / "run"))


def flip(path: Path, at: float = 0.5) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= 1
    path.write_bytes(content)


def edit(path: Path, **changes: Any) -> None:
    """Change or take out (None) keys of a JSON file."""
    content = {**tiny.read_json(path), **changes}
    tiny.write_json(path, {name: value for name, value in content.items() if value is not None})


def as_an_old_one(run: Path) -> None:
    """Take out what older versions did not write: the digests, and the key by which newer ones are known."""
    edit(run / "metrics.json", **{DIGESTS: None, WRITTEN_WITH_DIGESTS: None})


def item(folder: Path) -> Path:
    return sorted(folder.rglob("*.png"))[0]


@pytest.mark.parametrize("modality", ["digit", "text", "tone"])
def test_every_file_that_is_read_has_a_digest(modality: str, request: pytest.FixtureRequest) -> None:
    run: Path = request.getfixturevalue(f"{modality}_run").path
    recorded = tiny.read_json(run / "metrics.json")[DIGESTS]
    assert recorded == digests_of(run)
    own = {"README.md", "report.html", "headstart.yaml", "environment.json", "metrics.json"}
    evidence = {"predictions.parquet", "label_errors.csv", "history.jsonl"}
    assert {path.name for path in run.iterdir()} - own - evidence == set(recorded)


@pytest.mark.parametrize("name", ["model.pt2", "head.json", "source.json"])
@pytest.mark.parametrize("at", [0.0, 0.5, 0.999])
def test_predict_refuses_a_flipped_bit(run: Path, digit_folder: Path, name: str, at: float) -> None:
    flip(run / name, at)
    with pytest.raises(
        InputError, match=f"{name} is not the file that the run was finished with.*copy the run"
    ):
        headstart.predict(run, item(digit_folder))


@pytest.mark.parametrize("name", ["model.safetensors", "source.json", "config.json"])
def test_a_source_refuses_a_flipped_bit(run: Path, name: str) -> None:
    load_source(f"run:{run}")
    content = (run / name).read_text(encoding="latin-1")
    (run / name).write_text(content[:-1] + " " + content[-1:], encoding="latin-1")
    for uri in (f"run:{run}", str(run)):
        with pytest.raises(SourceError, match=f"{name} is not the file that the run was finished with"):
            load_source(uri)


def test_the_cards_lines_refuse_a_flipped_bit(
    run: Path, digit_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run)
    lines = (run / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    scope: dict[str, Any] = {}
    exec(lines, scope)
    found = scope["predict"]([item(digit_folder)]).numpy()
    expected = headstart.predict(run, item(digit_folder)).probabilities
    assert np.allclose(found, expected, atol=1e-5)
    flip(run / "model.pt2")
    with pytest.raises(ValueError, match=r"model.pt2 is not the file that this run was finished with"):
        exec(lines, {})


def test_a_run_without_digests_still_opens(run: Path, digit_folder: Path) -> None:
    expected = headstart.predict(run, item(digit_folder)).probabilities
    as_an_old_one(run)
    assert np.array_equal(headstart.predict(run, item(digit_folder)).probabilities, expected)
    load_source(f"run:{run}")


def test_a_run_without_metrics_is_refused(run: Path, digit_folder: Path) -> None:
    (run / "metrics.json").unlink()
    flip(run / "model.safetensors")
    for uri in (f"run:{run}", str(run)):
        with pytest.raises(
            SourceError, match=r"metrics\.json is missing: copy the run again, or make it again"
        ):
            load_source(uri)
    with pytest.raises(InputError, match=r"has no metrics\.json"):
        headstart.predict(run, item(digit_folder))


class Hungry(torch.nn.Module):
    """Fails for more than some items at once."""

    def __init__(self, most: int, error: Exception) -> None:
        super().__init__()
        self.most, self.error = most, error

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        if len(pixels) > self.most:
            raise self.error
        return pixels.mean((2, 3))


def test_a_batch_that_does_not_fit_in_memory_is_predicted_in_parts(
    digit_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted(digit_folder.rglob("*.png"))[:10]
    preprocessing = ImagePreprocessing(size=(8, 8))
    full = torch.OutOfMemoryError("CUDA out of memory")

    def outputs(most: int, error: Exception) -> np.ndarray:
        return run_items(Hungry(most, error), tmp_path / "model.pt2", files, preprocessing, 3, threads=1)

    expected = outputs(99, full)
    assert np.array_equal(outputs(3, full), expected)
    assert "out of memory, continuing with" in capsys.readouterr().err
    with pytest.raises(HeadstartError, match="Predicting: out of memory with one item at a time") as caught:
        outputs(0, full)
    assert caught.value.exit_code == 1
    with pytest.raises(
        InputError, match=r"the program in .*model\.pt2 cannot compute these items \(IndexError: 5\)"
    ):
        outputs(0, IndexError("5"))


@pytest.mark.parametrize("digests", [True, False])
def test_the_program_of_another_run_is_refused(
    run: Path, tone_run: Run, digit_folder: Path, digests: bool
) -> None:
    if not digests:
        as_an_old_one(run)
    shutil.copy(tone_run.path / "model.pt2", run)
    with pytest.raises(InputError, match=r"model.pt2 .*make the run again|make it again"):
        headstart.predict(run, item(digit_folder))


@pytest.mark.parametrize(
    ("version", "message"),
    [(True, "has no format_version"), (99, "written by a newer headstart"), ("1", "has no format_version")],
)
def test_a_format_that_is_not_known_is_refused(
    run: Path, digit_folder: Path, version: Any, message: str
) -> None:
    edit(run / "metrics.json", format_version=version)
    with pytest.raises(InputError, match=message):
        headstart.predict(run, item(digit_folder))
    with pytest.raises(InputError, match=message):
        load_source(f"run:{run}")


@pytest.mark.parametrize("files", [[], "x", {"model.pt2": 5}, {}])
def test_digests_that_are_none_are_refused(run: Path, files: Any) -> None:
    edit(run / "metrics.json", files=files)
    with pytest.raises(InputError, match=r"must hold digests by name|not the file that the run"):
        check_files(run, ["model.pt2"])


@pytest.mark.parametrize("files", ["absent", None])
def test_a_run_of_this_version_without_digests_is_refused(run: Path, digit_folder: Path, files: Any) -> None:
    content = tiny.read_json(run / "metrics.json")
    del content[DIGESTS]
    tiny.write_json(run / "metrics.json", content if files == "absent" else {**content, DIGESTS: None})
    for use in (lambda: headstart.predict(run, item(digit_folder)), lambda: load_source(f"run:{run}")):
        with pytest.raises(InputError, match=r"metrics.json .*must hold digests by name.*copy the run again"):
            use()


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no preprocessing": lambda run: edit(run / "source.json", preprocessing=None),
    "preprocessing is a list": lambda run: edit(run / "source.json", preprocessing=[1]),
    "a field too many": lambda run: edit(run / "source.json", preprocessing={"modality": "image", "x": 1}),
    "size is a text": lambda run: edit(run / "source.json", preprocessing={"modality": "image", "size": "x"}),
    "source.json is a list": lambda run: (run / "source.json").write_text("[1]") and None,
    "head.json is a number": lambda run: (run / "head.json").write_text("5") and None,
    "no classes": lambda run: edit(run / "head.json", classes=None),
    "classes are a number": lambda run: edit(run / "head.json", classes=5),
    "classes are no texts": lambda run: edit(run / "head.json", classes=[0, 1, 2]),
    "classes are equal": lambda run: edit(run / "head.json", classes=["a"] * 3),
    "classes are lists": lambda run: edit(run / "head.json", classes=[["a"], ["b"], ["c"]]),
    "no such task": lambda run: edit(run / "head.json", task="x"),
    "task is a list": lambda run: edit(run / "head.json", task=[]),
    "not UTF-8": lambda run: (run / "head.json").write_bytes(b"\xff{}") and None,
    "nested": lambda run: (run / "head.json").write_text("[" * 99_999) and None,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_predict_names_a_damaged_file(run: Path, digit_folder: Path, damage: str) -> None:
    as_an_old_one(run)
    DAMAGE[damage](run)
    with pytest.raises(InputError, match=r"(source|head)\.json .*make the run again"):
        headstart.predict(run, item(digit_folder))


@pytest.mark.parametrize("key", ["library", "architecture", "modality", "preprocessing", "config"])
def test_a_source_without_a_key_names_its_file(run: Path, key: str) -> None:
    as_an_old_one(run)
    edit(run / "source.json", **{key: None})
    with pytest.raises(SourceError, match=r"source\.json|must be one of"):
        load_source(f"run:{run}")


def test_a_run_cannot_name_code_or_a_file_to_copy(run: Path, tmp_path: Path) -> None:
    as_an_old_one(run)
    edit(run / "source.json", architecture_file="/etc/passwd")
    assert load_source(f"run:{run}").config["architecture_file"] is None
    edit(run / "source.json", architecture="headstart.bundled.digits/architecture.py:Net")
    with pytest.raises(SourceError, match="Pass --arch"):
        load_source(f"run:{run}")


def test_a_checked_file_is_its_content_or_an_error(run: Path) -> None:
    assert read_checked(run, "head.json")["classes"] == ["digit 0", "digit 1", "digit 2"]
    (run / "head.json").write_text((run / "head.json").read_text().replace("digit 0", "digit 9"))
    with pytest.raises(SourceError, match=r"head.json is not the file that the run was finished with"):
        read_checked(run, "head.json", SourceError)
    (run / "head.json").unlink()
    with pytest.raises(InputError, match=r"head.json cannot be read as a file of a run.*copy the run again"):
        read_checked(run, "head.json")
