"""One of several processes of a training; started by test_processes with its number in the environment.

python worker.py FOLDER CASE...    where a case is "modality policy n_items name=value ..."
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tune_sources import CLASSES, part_of, source_of

from headstart import processes
from headstart.features import Setting, Store
from headstart.tune import Policy, Recipe, Training

SETTING = Setting(torch.device("cpu"), "fp32", 1)


def training_of(folder: Path, case: str, run_folder: Path | None = None, **settings: Any) -> Training:
    """A training without dropout, whose random masks differ by process."""
    modality, policy, n_items = case.split()[:3]
    source = source_of(modality)
    for module in source.network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(
            module, nn.Conv2d
        ):  # batch normalisation follows: a bias has no gradient but rounding
            module.bias = None
    options = {
        "epochs": 3, "patience": 9, "batch_size": 7, "lr": 1e-2, "head_lr": 1e-2, "word_dropout": 0.2, **settings,
    }  # fmt: skip
    return Training(
        source,
        part_of(modality, int(n_items), 0, folder),
        part_of(modality, 12, 1, folder),
        CLASSES,
        policy=Policy.parse(policy, tuple(source.stages)),
        recipe=Recipe.for_modality(modality, **options),
        store=Store(folder / f"store of {processes.count()}"),
        setting=SETTING,
        folder=run_folder,
        checkpoint_seconds=0.0,
    )


def outcome(folder: Path, case: str) -> dict[str, Any]:
    """What a training ends with: weights, history and validation logits, as plain values."""
    words = [word.split("=") for word in case.split()[3:]]
    settings = {name: float(value) if "." in value else int(value) for name, value in words}
    torch.set_num_threads(1)
    trained = training_of(folder, case, **settings).run()
    return {
        "weights": dict(trained.state_dict),
        "head": torch.from_numpy(trained.head.weight),
        "logits": torch.from_numpy(trained.validation_logits),
        "losses": [row["train_loss"] for row in trained.history[1:]],
    }


def main() -> None:
    folder, cases = Path(sys.argv[1]), sys.argv[2:]
    with processes.together("cpu"):
        for case in cases:
            if case.startswith("slow "):  # to be killed meanwhile, or to go on with
                go_on_slowly(folder, case.removeprefix("slow "))
                continue
            found = outcome(folder, case)
            name = f"{case} of {processes.count()} by {processes.number()}.pt"
            torch.save(found, folder / name)


def go_on_slowly(folder: Path, case: str) -> None:
    pause = float(os.environ.get("PAUSE", 0))
    training = training_of(folder, case, folder / "run", epochs=3, batch_size=8)
    training.loop.step.module.register_forward_hook(lambda *_: time.sleep(pause))
    trained = training.run(resume=True)
    torch.save(dict(trained.state_dict), folder / f"slow of {processes.count()} by {processes.number()}.pt")


if __name__ == "__main__":
    main()
