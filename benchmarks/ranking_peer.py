"""`headstart rank` against a loop as a user writes it: `python -m benchmarks.ranking_peer`.

Both rank the same timm sources on the training photos of hymenoptera, each in a process of its own that counts from
start to end. The loop takes each network from timm in fp32, its own transform, a DataLoader with one worker per core,
and the 5-fold cross-validated accuracy of scikit-learn's logistic regression on standardised features. headstart
starts with an empty store and does more: all depths, the features of the held-out photos, baselines, the report. Two
runs of each in turn, the better counts. `--small` makes one.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.side import run_side
from benchmarks.work import HYMENOPTERA, SHARED, load_timm_folder, n_threads, photo_paths, write_between

NAMES = (
    "mobilenetv1_100.tf1_qat_in1k",
    "mobilenetv2_100.inat_bird",
    "mobilenetv2_100.inat_insect",
    "mobilenetv2_100.tf2_ptq_in1k",
    "tf_efficientnet_lite0.in1k",
)
FOLDERS = tuple(SHARED / "weights" / name for name in NAMES)


def main() -> None:
    """Run one side, or both in turn."""
    if sys.argv[1:2] == ["loop"]:
        return print(json.dumps(_loop()))
    if sys.argv[1:2] == ["headstart"]:
        return print(json.dumps(_ours()))
    small = "--small" in sys.argv
    runs = [
        {side: run_side("benchmarks.ranking_peer", side) for side in ("loop", "headstart")}
        for _ in range(1 if small else 2)
    ]
    best = {side: min((run[side] for run in runs), key=lambda found: found["process"]) for side in runs[0]}
    print(text := table(best))
    if not small:
        write_between("ranking-peer", text, "ranking.md")
    return None


def _ours() -> dict[str, Any]:
    import headstart

    with tempfile.TemporaryDirectory() as folder:
        os.environ["HEADSTART_CACHE"] = str(Path(folder) / "store")
        os.environ["HEADSTART_RECORD"] = "off"
        ranking = headstart.rank(HYMENOPTERA, [str(each) for each in FOLDERS], out=Path(folder) / "ranking")
        scores = {Path(row.name).name: row.predicted.value for row in ranking.facts.sources}
        seconds = dict(ranking.metrics["seconds"])
    return {"first": Path(ranking.best).name, "scores": scores, "phases": seconds}


def _loop() -> dict[str, Any]:
    import numpy as np
    import timm
    import torch
    from PIL import Image
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from torch.utils.data import DataLoader, Dataset

    paths, labels = photo_paths("train")
    torch.set_num_threads(n_threads())

    class Photos(Dataset):  # type: ignore[type-arg]
        def __init__(self, transform: Any) -> None:
            self.transform = transform

        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, index: int) -> Any:
            return self.transform(Image.open(paths[index]).convert("RGB"))

    scores = {}
    for folder in FOLDERS:
        model = load_timm_folder(folder, num_classes=0).eval()
        transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
        loader = DataLoader(Photos(transform), batch_size=32, num_workers=n_threads())
        with torch.inference_mode():
            features = np.concatenate([model(batch).numpy() for batch in loader])
        head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        scores[folder.name] = float(cross_val_score(head, features, labels, cv=5).mean())
    return {"first": max(scores, key=scores.__getitem__), "scores": scores}


def table(best: dict[str, dict[str, Any]]) -> str:
    """One line per side, then the ratio."""
    lines = ["| | whole process | first place | cross-validated accuracy |", "|---|---|---|---|"]
    for side, found in best.items():
        scores = ", ".join(
            f"{name.split('.')[-1]} {100 * value:.1f}"
            for name, value in sorted(found["scores"].items(), key=lambda pair: -pair[1])
        )
        name = "headstart rank" if side == "headstart" else "timm and scikit-learn in a loop"
        lines.append(f"| {name} | {found['process']:.1f} s | {found['first']} | {scores} |")
    ratio = best["loop"]["process"] / best["headstart"]["process"]
    phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in best["headstart"]["phases"].items())
    return "\n".join([*lines, "", f"{ratio:.1f} times as fast. Seconds of headstart by phase: {phases}."])


if __name__ == "__main__":
    main()
