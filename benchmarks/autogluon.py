"""AutoGluon-Multimodal on a work; runs in an environment of its own, without headstart.

`python -m benchmarks.autogluon '{"side": "autogluon", "set": ...}'` prints one line of JSON, as `benchmarks.sides`
does. Its presets name checkpoints of a hub; here it is given the folder that all sides start from, and its other
settings are its defaults, but for the graphics card and the worker processes, which it is told to leave.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.sides import Work
from benchmarks.work import n_threads

SAME_PADDING = "headstart_mobilenetv2_100"


def fit(work: Work) -> dict[str, Any]:
    """Train within the seconds of the work, as AutoGluon keeps them, and score the held-out part."""
    import pandas as pd
    import torch
    from autogluon.multimodal import MultiModalPredictor

    torch.set_num_threads(n_threads())
    split = work.split
    column = "text" if work.data.modality == "text" else "image"
    train = pd.DataFrame({column: split.train, "label": split.train_labels})
    test = pd.DataFrame({column: split.test, "label": split.test_labels})
    with tempfile.TemporaryDirectory() as temporary:
        source = work.folder if column == "text" else timm_source(work.folder, Path(temporary) / "source")
        started = time.perf_counter()
        predictor = MultiModalPredictor(
            label="label", eval_metric="accuracy", path=str(Path(temporary) / "model"), verbosity=0
        )
        predictor.fit(
            train,
            time_limit=work.seconds,
            seed=work.seed,
            hyperparameters={**settings(column, source, work.epochs), **work.options},
        )
        accuracy = float(predictor.evaluate(test, metrics=["accuracy"])["accuracy"])
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "accuracy": accuracy, "epochs": None}


def settings(column: str, source: Path, epochs: int | None) -> dict[str, Any]:
    """The source to start from, and no graphics card or worker process."""
    name = "hf_text" if column == "text" else "timm_image"
    told: dict[str, Any] = {
        "model.names": [name],
        f"model.{name}.checkpoint_name": str(source),
        "env.num_gpus": 0,
        "env.num_workers": 0,
        "env.num_workers_inference": 0,
    }
    if epochs is not None:
        told["optim.max_epochs"] = epochs
    return told


def timm_source(folder: Path, copy: Path) -> Path:
    """The timm folder in the form that AutoGluon reads: weights without classifier in pytorch_model.bin.

    It passes no arguments on to timm, so the padding of this network is put under a name of its own.
    """
    import timm
    import torch
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text())
    architecture, arguments = config["architecture"], config.get("model_args", {})

    def build(pretrained: bool = False, **options: Any) -> Any:
        options = {name: value for name, value in options.items() if value is not None}
        return getattr(timm.models, architecture)(pretrained=False, **arguments, **options)

    build.__name__, build.__module__ = SAME_PADDING, getattr(timm.models, architecture).__module__
    timm.models.register_model(build)
    classifier = config["pretrained_cfg"]["classifier"]
    weights = {
        name: value.float()
        for name, value in load_file(str(folder / "model.safetensors")).items()
        if not name.startswith(f"{classifier}.")
    }
    copy.mkdir()
    torch.save(weights, copy / "pytorch_model.bin")
    (copy / "config.json").write_text(json.dumps({**config, "architecture": SAME_PADDING}))
    return copy


def main() -> None:
    """Do one work and print what it took."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    print(json.dumps(fit(Work.read(sys.argv[1]))))


if __name__ == "__main__":
    main()
