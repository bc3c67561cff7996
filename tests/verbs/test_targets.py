"""Labels and quantities end to end on real data, in each modality; the program runs where headstart is not."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart
import small_data
from headstart.runs import RunDirectory
from headstart.runs.run import Run

FAST: dict[str, Any] = {"precision": "fp32", "threads": 1, "baseline": False}

ALONE = """
import json, os, re, sys
class Absent:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in ("headstart", "transformers", "timm"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
folders, items = json.loads(sys.argv[1])
told = []
for folder in folders:
    os.chdir(folder)
    exec(re.search(r"```python\\n(.*?)```", open("README.md", encoding="utf-8").read(), re.S)[1])
    told.append(predict(items).tolist())
print(json.dumps(told))
"""


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def texts(shared: Path, folder: Path, target: str) -> tuple[Path, list[str]]:
    """Reviews with their length in words, or with domain and sentiment as labels."""
    with (shared / "data/amazon_reviews/amazon_reviews.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::40]
    cut = [" ".join(row["text"].split()[: 5 + index % 40]) for index, row in enumerate(rows)]
    made = [
        {"text": text, "score": len(text.split()) + 0.5, "tags": f"{row['domain']}|{row['label']}"}
        for text, row in zip(cut, rows, strict=True)
    ]
    columns = [{"text": row["text"], target: row[target]} for row in made]
    return written(folder / "texts.csv", columns), cut[:3]


def recordings(shared: Path, folder: Path, target: str) -> tuple[Path, list[str]]:
    """Spoken digits with their length in seconds, or with speaker and parity as labels."""
    data = shared / "data/fsdd"
    with (data / "metadata.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::30]
    made = [
        {
            "file": str(data / row["file"]),
            "score": row["seconds"],
            "tags": f"{row['speaker']};{'even' if int(row['label']) % 2 == 0 else 'odd'}",
        }
        for row in rows
    ]
    path = written(
        folder / "audio/metadata.csv", [{"file": row["file"], target: row[target]} for row in made]
    )
    return path.parent, [row["file"] for row in made[:3]]


def pictures(shared: Path, folder: Path, target: str) -> tuple[Path, list[str]]:
    """Insects with the mean brightness of the picture, or with class and "bright" as labels."""
    from PIL import Image

    found = sorted((shared / "data/hymenoptera").glob("*/*/*.jpg"))[::4]
    made = []
    for path in found:
        with Image.open(path) as picture:
            mean = float(np.asarray(picture.convert("L")).mean())
        tags = path.parent.name + ("|bright" if mean > 115 else "")
        made.append({"file": str(path), target: round(mean, 2) if target == "score" else tags})
    path = written(folder / "images/metadata.csv", made)
    return path.parent, [row["file"] for row in made[:3]]


KINDS = {
    "text": (texts, "all-MiniLM-L6-v2", 0.5),
    "audio": (recordings, "whisper-tiny.en-encoder", 0.5),
    "image": (pictures, "mobilenetv1_100.tf1_qat_in1k", 0.3),
}


def fitted(kind: str, task: str, shared: Path, tmp_path: Path) -> tuple[Run, list[str]]:
    make, source, _ = KINDS[kind]
    target = "score" if task == "regression" else "tags"
    data, few = make(shared, tmp_path / task, target)
    more = {"target": target, "task": task, "store": str(tmp_path / "store"), **FAST}
    run = headstart.fit(
        data, str(shared / "weights" / source), out=tmp_path / task / "run", follow_outside=True, **more
    )
    return run, few


def programs(runs: list[Run], few: list[str]) -> list[np.ndarray]:
    """What the runs give for a few items in a process without headstart and the libraries of the sources."""
    asked = json.dumps([[str(run.path) for run in runs], few])
    words = [sys.executable, "-c", ALONE, asked]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [np.array(rows) for rows in json.loads(done.stdout.splitlines()[-1])]


def holds(run: Run, task: str, few: list[str], alone: np.ndarray, folder: Path) -> None:
    """Metrics, predictions and report are those of the task, and the program gives the same alone."""
    metrics, directory = run.metrics, RunDirectory.open(run.path)
    assert metrics["task"] == task and directory.record.task == task
    metric = "rmse" if task == "regression" else "log_loss"
    assert metrics["verdict_evidence"]["metric"] == metric and metrics["baselines"]["majority"]
    kept = directory.predictions()
    assert kept.task == task and len(kept.items) == metrics["n_test"]
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert ('id="values"' in page) == (task == "regression")
    assert ('id="labels"' in page) == (task == "multilabel")
    assert "Confusion matrix" not in page
    wanted = run.predict(few, threads=1)
    spread = max(1.0, float(np.abs(wanted.probabilities).max()))
    assert alone.shape == wanted.probabilities.shape
    assert np.abs(alone - wanted.probabilities).max() < 1e-3 * spread
    for ending in (".csv", ".parquet"):
        path = folder / f"new{ending}"
        wanted.write(path)
        again = type(kept).read(path)
        assert again.task == task and np.allclose(again.probabilities, wanted.probabilities, rtol=1e-5)
        assert task == "regression" or again.predicted == wanted.predicted


@pytest.mark.real
@pytest.mark.parametrize(
    "kind", ["image", *(pytest.param(kind, marks=pytest.mark.full) for kind in ("text", "audio"))]
)
def test_a_quantity_and_several_labels(kind: str, shared: Path, tmp_path: Path) -> None:
    """Two runs on the same items: their features are extracted once, and both programs run in one process."""
    quantity, few = fitted(kind, "regression", shared, tmp_path)
    labels, _ = fitted(kind, "multilabel", shared, tmp_path)

    test, plain = quantity.metrics["test"], quantity.metrics["baselines"]["majority"]
    assert test["r2"]["value"] > KINDS[kind][2]
    assert test["r2"]["low"] <= test["r2"]["value"] <= test["r2"]["high"]
    assert test["rmse"]["value"] < plain["rmse"]["value"]
    assert set(test) == {"rmse", "mae", "r2", "spearman"} and quantity.metrics["verdict"] == "positive"

    test, plain = labels.metrics["test"], labels.metrics["baselines"]["majority"]
    assert test["mean_average_precision"]["value"] > plain["mean_average_precision"]["value"] + 0.2
    assert test["log_loss"]["value"] < plain["log_loss"]["value"]
    assert {"macro_f1", "micro_f1", "auroc", "exact_match", "calibration_error"} < set(test)

    own, others = programs([quantity, labels], few)
    holds(quantity, "regression", few, own, tmp_path / "regression")
    holds(labels, "multilabel", few, others, tmp_path / "multilabel")


def test_a_quantity_of_any_size(tmp_path: Path) -> None:
    """Scores do not depend on the unit; every form of the model gives values that float32 could not hold."""
    files = sorted(small_data.digit_folder(tmp_path / "files").rglob("*.png"))

    def fitted(name: str, values: list[float]) -> tuple[Any, Any]:
        rows = [f"{path},{value!r}\n" for path, value in zip(files, values)]
        table = small_data.write(tmp_path / f"{name}.csv", "file,y\n" + "".join(rows))
        run = headstart.fit(
            table, small_data.LETTERS, out=tmp_path / name, target="y", task="regression",
            store=str(tmp_path / "store"), report=name == "huge", baseline=False, **small_data.SETTINGS,
        )  # fmt: skip
        return run, headstart.predict(run.path, [str(path) for path in files])

    digits = [float(path.parent.name[-1]) for path in files]
    plain, ours = fitted("plain", digits)
    for name, middle, spread in (("huge", 3e39, 1e39), ("far", 1e9, 0.01)):
        run, theirs = fitted(name, [middle + spread * digit for digit in digits])
        for key, unit in (("rmse", spread), ("r2", 1.0)):
            assert run.metrics["test"][key]["value"] / unit == pytest.approx(
                plain.metrics["test"][key]["value"], rel=1e-4
            )
        back = (np.array(theirs.predicted) - middle) / spread
        np.testing.assert_allclose(back, ours.predicted, rtol=0, atol=1e-3)
        assert "cannot tell values of y apart" in (run.path / "README.md").read_text()
