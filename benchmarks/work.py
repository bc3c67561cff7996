"""What both sides work on: the same files, the same splits, the same weights."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("HEADSTART_SHARED", ROOT.parent / "shared"))
HYMENOPTERA = SHARED / "data" / "hymenoptera"
EMODB = SHARED / "data" / "emodb"
MOBILENET = SHARED / "weights" / "mobilenetv2_100.tf2_ptq_in1k"
MINILM = SHARED / "weights" / "all-MiniLM-L6-v2"
WHISPER = SHARED / "weights" / "whisper-tiny.en-encoder"
N_SENTENCES = 4000
PEER_EPOCHS, SCALED_EPOCHS = 3, 10


def n_threads() -> int:
    """The cores that each side may use: OMP_NUM_THREADS, or those this process has."""
    told = os.environ.get("OMP_NUM_THREADS")
    if told:
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Timed:
    """What one side printed: seconds of work without imports, its accuracy, and the whole process."""

    seconds: float
    accuracy: float | None = None
    note: str = ""


def photo_paths(part: str) -> tuple[list[str], list[int]]:
    """Paths and classes of a part ("train" or "val") of hymenoptera."""
    classes = sorted(folder.name for folder in (HYMENOPTERA / part).iterdir())
    pairs = [
        (str(path), index)
        for index, name in enumerate(classes)
        for path in sorted((HYMENOPTERA / part / name).iterdir())
    ]
    return [path for path, _ in pairs], [index for _, index in pairs]


def sentences() -> tuple[list[str], list[int], list[str], list[int]]:
    """4,000 sentences of sst2: 3,200 of its train part to learn from and 800 of its test part held out."""
    with open(SHARED / "data" / "sst2" / "sst2.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    train = [row for row in rows if row["split"] == "train"][:3200]
    test = [row for row in rows if row["split"] == "test"][:800]
    return (
        [row["text"] for row in train],
        [int(row["label"] == "positive") for row in train],
        [row["text"] for row in test],
        [int(row["label"] == "positive") for row in test],
    )


def sentences_table(folder: Path) -> Path:
    """The same sentences as a csv with a split column."""
    texts, labels, test_texts, test_labels = sentences()
    path = folder / "sentences.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        for text, label in zip(texts, labels, strict=True):
            writer.writerow([text, ["negative", "positive"][label], "train"])
        for text, label in zip(test_texts, test_labels, strict=True):
            writer.writerow([text, ["negative", "positive"][label], "test"])
    return path


def random_timm_folder(folder: Path, architecture: str) -> Path:
    """A folder with a timm network of random weights (for speed alone), in the form of a checkpoint folder."""
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    network = timm.create_model(architecture, pretrained=False)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), str(folder / "model.safetensors"))
    keys = ("mean", "std", "interpolation", "crop_pct", "classifier", "first_conv", "input_size")
    settings = {key: network.pretrained_cfg[key] for key in keys if key in network.pretrained_cfg}
    settings["crop_pct"] = 0.875
    config = {"architecture": architecture, "num_classes": 1000, "pretrained_cfg": settings}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def load_timm_folder(folder: Path, num_classes: int) -> object:
    """The timm model of a checkpoint folder with a new classifier, as its user would load it."""
    import timm
    import torch
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text())
    model = timm.create_model(config["architecture"], num_classes=num_classes, **config.get("model_args", {}))
    weights = {name: value.float() for name, value in load_file(str(folder / "model.safetensors")).items()}
    classifier = config["pretrained_cfg"]["classifier"]
    weights = {name: value for name, value in weights.items() if not name.startswith(f"{classifier}.")}
    with torch.no_grad():
        model.load_state_dict(weights, strict=False)
    return model


def write_between(mark: str, text: str, name: str = "benchmarks.md") -> None:
    """Put text between the marks of that name in a page of the docs."""
    page = ROOT / "docs" / name
    before, _, rest = page.read_text().partition(f"<!-- {mark} -->")
    _, _, after = rest.partition(f"<!-- /{mark} -->")
    page.write_text(f"{before}<!-- {mark} -->\n{text}\n<!-- /{mark} -->{after}")


def emodb_rows() -> list[dict[str, str]]:
    """The rows of emodb's metadata."""
    with open(EMODB / "metadata.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
