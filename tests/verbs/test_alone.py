"""Runs work where headstart cannot be imported, and agree there with what headstart predicts."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart
from headstart.runs.run import Run
from small_data import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = """
import json, os, sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "headstart":
            raise ImportError("headstart is blocked")
sys.meta_path.insert(0, Block())
told = []
"""


def run_alone(code: str) -> Any:
    """What code appends to `told`, in a process of its own without headstart."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code + "\nprint(json.dumps(told))"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def lines_of_the_card(run: Run, asked: list[str]) -> str:
    """The card's first lines of Python, run in the folder of the run on some items."""
    code = re.findall(r"```python\n(.*?)```", (run.path / "README.md").read_text(), flags=re.DOTALL)[0]
    return f"os.chdir({str(run.path)!r})\n{code}\ntold.append(predict({asked!r}).tolist())\n"


def texts_of(table: Path, n_items: int = 6) -> list[str]:
    with table.open(newline="") as file:
        return [row["text"] for row in list(csv.DictReader(file))[:n_items]]


def test_small_runs_of_every_modality(
    work: Path, digit_run: Run, text_run: Run, tone_run: Run, digit_folder: Path
) -> None:
    pictures = [str(path) for path in sorted(digit_folder.rglob("*.png"))[:5]]
    tones = [str(path) for path in sorted((work / "tones").rglob("*.wav"))[:4]]
    texts = texts_of(work / "texts.csv")
    code = "".join(
        lines_of_the_card(run, asked)
        for run, asked in ((digit_run, pictures), (text_run, texts), (tone_run, tones))
    )
    code += f"""
from transformers import pipeline
rows = pipeline("text-classification", model={str(text_run.path)!r})({texts!r}, top_k=None, truncation=True)
told.append([{{row["label"]: row["score"] for row in rows_of}} for rows_of in rows])
"""
    images, written, clips, piped = run_alone(code)
    np.testing.assert_allclose(images, digit_run.predict(pictures).probabilities, atol=1e-3)
    np.testing.assert_allclose(clips, tone_run.predict(tones).probabilities, atol=1e-3)
    expected = text_run.predict(texts)
    np.testing.assert_allclose(written, expected.probabilities, atol=1e-3)
    by_class = [[row[name] for name in expected.classes] for row in piped]
    np.testing.assert_allclose(by_class, expected.probabilities, atol=1e-3)


def test_the_standard_head_trains_the_classes_own_pooling(text_run: Run) -> None:
    assert text_run.metrics["chosen"]["head_stages"] == ["pooling"]
    config = json.loads((text_run.path / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert set(config["id2label"].values()) == {"early", "late"}


def few(folder: Path, to: Path, pattern: str, n_each: int) -> Path:
    """A folder of a few files of each class."""
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        (to / kind.name).mkdir(parents=True)
        for path in sorted(kind.glob(pattern))[:n_each]:
            shutil.copy(path, to / kind.name)
    return to


def real_texts(shared: Path, to: Path) -> Path:
    with (shared / "data" / "sst2" / "sst2.csv").open(newline="") as file:
        rows = [row[:2] for row, _ in zip(csv.reader(file), range(41))]
    with to.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return to


def real_voices(shared: Path, to: Path) -> Path:
    for path in sorted((shared / "data" / "fsdd").rglob("*_[0-5].flac"))[::5]:
        speaker = path.stem.split("_")[1]
        (to / speaker).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to / speaker)
    return to


REAL: dict[str, tuple[str, str | None]] = {
    "mobilenetv2_100.tf2_ptq_in1k": ("photos", None),
    "resemblyzer-ge2e": ("voices", "ge2e.py:SpeakerEncoder"),
    "all-MiniLM-L6-v2": ("texts", None),
    "whisper-tiny.en-encoder": ("voices", None),
}


@pytest.mark.real
@pytest.mark.parametrize(
    "sources",
    [
        pytest.param(["resemblyzer-ge2e"], id="one's own network"),
        pytest.param(
            ["mobilenetv2_100.tf2_ptq_in1k", "all-MiniLM-L6-v2", "whisper-tiny.en-encoder"],
            id="photos, texts and voices",
            marks=pytest.mark.full,
        ),
    ],
)
def test_real_runs(sources: list[str], shared: Path, tmp_path: Path) -> None:
    runs, asked = [], []
    for source in sources:
        kind, arch = REAL[source]
        if kind == "photos":
            photos = shared / "data" / "hymenoptera" / "train"
            data = few(photos, tmp_path / "photos", "*.jpg", 8)
        else:
            make = {"texts": real_texts, "voices": real_voices}[kind]
            data = make(shared, tmp_path / f"{source}.csv" if kind == "texts" else tmp_path / source)
        files = [str(path) for path in sorted(data.rglob("*.*"))[:3]]
        asked.append(texts_of(data, 3) if kind == "texts" else files)
        options = {**SETTINGS, "baseline": False, "report": False}
        if arch is not None:
            options["arch"] = str(ROOT / "examples" / arch)
        weights = str(shared / "weights" / source)
        runs.append(headstart.fit(data, weights, out=tmp_path / "runs" / source, **options))
    told = run_alone("".join(map(lines_of_the_card, runs, asked)))
    for run, items, rows in zip(runs, asked, told, strict=True):
        np.testing.assert_allclose(rows, run.predict(items).probabilities, atol=1e-3, err_msg=str(run.path))
