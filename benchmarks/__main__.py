"""Run the benchmarks and print their table: `python -m benchmarks [row ...]`.

Each side runs in a process of its own, one after the other, peers and headstart alternating; the table is
written to docs/benchmarks.md.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.side import run_side
from benchmarks.work import MOBILENET, ROOT, n_threads, random_timm_folder, write_between

RESULTS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True)
class Row:
    """One line of the table: a work of ours, a peer, and the ratio to reach."""

    name: str
    work: str
    ours: str
    peer: str
    folder: str
    at_least: float


ROWS = (
    Row("resnet18-trainer", "frozen resnet18 (random weights), hymenoptera, 224 px", "images",
        "trainer_resnet18", "resnet18", 20),
    Row("resnet18-fastai", "the same", "images", "fastai_images", "resnet18", 25),
    Row("mobilenet-trainer", "frozen mobilenetv2_100.tf2, hymenoptera", "images", "trainer_timm", "mobilenet", 40),
    Row("mobilenet-onepass", "the same", "images", "one_pass_images", "mobilenet", 2.5),
    Row("minilm-trainer", "frozen MiniLM, 4,000 sentences", "text", "trainer_text", "", 25),
    Row("minilm-st", "the same", "text", "sentence_transformers_logistic", "", 2.5),
    Row("whisper", "frozen Whisper encoder, emodb speakers, 10 folds", "speakers", "whisper_30s", "", 8),
)  # fmt: skip


def main() -> None:
    """Run the rows that were named, or all."""
    wanted = sys.argv[1:] or [row.name for row in ROWS]
    RESULTS.mkdir(parents=True, exist_ok=True)
    ours: dict[tuple[str, str], dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folders = {
            "resnet18": random_timm_folder(Path(temporary) / "resnet18", "resnet18"),
            "mobilenet": MOBILENET,
            "": Path(temporary),
        }
        for row in ROWS:
            if row.name not in wanted:
                continue
            folder = folders[row.folder]
            if (row.ours, row.folder) not in ours:
                ours[row.ours, row.folder] = run_side("benchmarks.ours", row.ours, folder)
            own, peer = ours[row.ours, row.folder], run_side("benchmarks.peers", row.peer, folder)
            result = {"row": row.name, "ratio": peer["seconds"] / own["seconds"], "ours": own, "peer": peer}
            (RESULTS / f"{row.name}.json").write_text(json.dumps(result, indent=2))
            print(line(row, result), flush=True)
    write_table()


def line(row: Row, result: dict[str, Any]) -> str:
    """A row of the table in Markdown."""
    own, peer = result["ours"], result["peer"]
    return (
        f"| {row.work} | {row.peer} | {peer['seconds']:.1f} s, {_share(peer['accuracy'])} | "
        f"{own['seconds']:.1f} s, {_share(own['accuracy'])} ({own['process']:.0f} s whole process) | "
        f"{result['ratio']:.1f}x | {row.at_least:g}x |"
    )


def write_table() -> None:
    """Write what has been measured so far between the marks of docs/benchmarks.md."""
    lines = ["| work | peer | peer takes | headstart takes | ratio | goal |", "|---|---|---|---|---|---|"]
    for row in ROWS:
        path = RESULTS / f"{row.name}.json"
        if path.exists():
            lines.append(line(row, json.loads(path.read_text())))
    told = f"Measured {time.strftime('%Y-%m-%d')} on {platform.machine()}, {n_threads()} cores."
    write_between("speed", "\n".join([told, "", *lines]))


def _share(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{accuracy:.3f}"


if __name__ == "__main__":
    main()
