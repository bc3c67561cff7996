"""The sides that train, by their own usual code. `python -m benchmarks.sides '{"side": ..., "set": ...}'`.

Prints one line of JSON. Time runs from the files to the accuracy on the held-out part; imports are not counted.
What is asked for is a `Work`, as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.sets import SETS, DataSet, Split
from benchmarks.work import n_threads


@dataclass(frozen=True)
class Work:
    """What a side is to do.

    Attributes:
        side: its name here.
        set: name of the data set.
        seed: of the training, and of the draw of sentences.
        source: a folder in place of the data set's own source.
        epochs: to train for.
        seconds: to train for, for a side that keeps a budget itself.
        options: of the side.
        small: a few items, to see that everything runs.
        validation: rows of the training part that are held out in place of the held-out part, to choose a rate.
    """

    side: str
    set: str
    seed: int = 0
    source: str | None = None
    epochs: int | None = None
    seconds: float | None = None
    options: dict[str, Any] = field(default_factory=dict)
    small: bool = False
    validation: list[int] | None = None

    @classmethod
    def read(cls, text: str) -> Work:
        """From JSON."""
        return cls(**json.loads(text))

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    @property
    def data(self) -> DataSet:
        """The data set."""
        return SETS[self.set]

    @property
    def folder(self) -> Path:
        """The source to start from."""
        return Path(self.source or self.data.source)

    @property
    def split(self) -> Split:
        """The data."""
        split = self.data.split(self.seed, small=self.small)
        return split if self.validation is None else split.inside(self.validation)


def headstart(work: Work) -> dict[str, Any]:
    """A fit by the options, to the metrics; no classical baseline and no report."""
    from benchmarks.ours import timed_fit

    options = dict(work.options)
    if work.epochs is not None:
        options["epochs"] = work.epochs
    if work.seconds is not None:
        options["budget"] = f"{work.seconds:.0f}s"
    with tempfile.TemporaryDirectory() as temporary:
        data = work.data.data(work.seed, Path(temporary), small=work.small)
        found = timed_fit(data, source=str(work.folder), seed=work.seed, **options)
    epochs = [row["seconds"] for row in found["history"] if row["epoch"] > 0]
    return _told(found["seconds"], found["accuracy"], epochs=len(epochs), training=sum(epochs)) | {
        "policy": found["policy"],
        "phases": found["phases"],
    }


def trainer(work: Work) -> dict[str, Any]:
    """transformers Trainer; options: `trained`, beginnings of the names of what trains, and its settings."""
    from benchmarks.trainer import TimmClassifier, timm_normalise, train_pictures, train_texts

    settings = dict(work.options)
    names = settings.pop("trained", None)
    n_epochs = work.epochs or 3
    settings |= {"seed": work.seed, "num_train_epochs": n_epochs}
    split, folder = work.split, work.folder
    train, test = (split.train, split.codes("train")), (split.test, split.codes("test"))
    n_classes = len(split.classes)
    if work.data.modality == "text":
        trained = train_texts(folder, n_classes, False, train, test, **settings)
    else:
        trained = train_pictures(
            lambda: TimmClassifier(folder, n_classes, None if names is None else tuple(names)),
            timm_normalise(folder), train, test, **settings,
        )  # fmt: skip
    told = _told(trained.seconds, trained.accuracy, epochs=n_epochs, training=trained.training)
    return told | {"evaluations": trained.evaluations}


def fastai(work: Work) -> dict[str, Any]:
    """fastai's `fine_tune`: one epoch of the head, then all layers, rates by depth; 224 px, batches of 64.

    Options: those of `fine_tune`, such as `base_lr`.
    """
    import timm  # noqa: F401
    import torch
    from fastai.vision.all import (
        CategoryBlock,
        DataBlock,
        ImageBlock,
        Normalize,
        Resize,
        accuracy,
        set_seed,
        vision_learner,
    )

    from benchmarks.work import load_timm_folder

    split, folder = work.split, work.folder
    paths, labels = [*split.train, *split.test], [*split.train_labels, *split.test_labels]
    parts = list(range(len(split.train))), list(range(len(split.train), len(paths)))
    config = json.loads((folder / "config.json").read_text())
    set_seed(work.seed, reproducible=True)
    started = time.perf_counter()
    settings = config["pretrained_cfg"]
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_x=lambda index: paths[index],
        get_y=lambda index: labels[index],
        splitter=lambda items: parts,
        item_tfms=Resize(224),
        batch_tfms=Normalize.from_stats(settings["mean"], settings["std"]),
    )
    loaders = block.dataloaders(range(len(paths)), num_workers=0, bs=min(64, len(split.train)))
    with tempfile.TemporaryDirectory() as temporary:
        learner = vision_learner(
            loaders, config["architecture"], pretrained=False, metrics=accuracy, path=temporary,
            **config.get("model_args", {}),
        )  # fmt: skip
        body = learner.model[0].model
        weights: Any = load_timm_folder(folder, 0)
        with torch.no_grad():
            body.load_state_dict(weights.state_dict(), strict=True)
        n_epochs = max(1, (work.epochs or 2) - 1)
        setup = time.perf_counter() - started
        with learner.no_bar(), learner.no_logging():
            learner.fine_tune(n_epochs, **work.options)
        training = time.perf_counter() - started - setup
        found = float(learner.recorder.values[-1][-1])
    return _told(setup + training, found, epochs=n_epochs + 1, training=training)


def _told(seconds: float, accuracy: float, *, epochs: int, training: float) -> dict[str, Any]:
    """What every side prints: `once` are the seconds that more epochs would not add to."""
    return {
        "seconds": seconds,
        "accuracy": accuracy,
        "epochs": epochs,
        "epoch_seconds": training / epochs if epochs else None,
        "once": seconds - training,
    }


SIDES: dict[str, Callable[[Work], dict[str, Any]]] = {
    side.__name__: side for side in (headstart, trainer, fastai)
}


def main() -> None:
    """Do one work and print what it took."""
    import torch

    torch.set_num_threads(n_threads())
    work = Work.read(sys.argv[1])
    print(json.dumps(SIDES[work.side](work)))


if __name__ == "__main__":
    main()
