"""The transformers Trainer as its users write it: transforms on the fly, dynamic padding, one evaluation.

What is not said is left at the Trainer's defaults: batches of 8, AdamW at 5e-5 falling along a line, float32.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn
from torchvision.transforms import (
    CenterCrop,
    Compose,
    Normalize,
    RandomHorizontalFlip,
    RandomResizedCrop,
    Resize,
    ToTensor,
)
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

from benchmarks.work import load_timm_folder


@dataclass(frozen=True)
class Trained:
    """What a training took and reached.

    Attributes:
        setup: seconds from the start to the first step.
        training: seconds of all epochs, evaluations during the training left out.
        evaluations: seconds of these.
        final: seconds of the one evaluation at the end.
        accuracy: on the held-out part, by that.
    """

    setup: float
    training: float
    evaluations: float
    final: float
    accuracy: float

    @property
    def seconds(self) -> float:
        """From the files to the accuracy, evaluated once."""
        return self.setup + self.training + self.final


class Photos(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """Pictures that are opened, cropped and normalised when they are asked for."""

    def __init__(
        self, paths: Sequence[str], labels: Sequence[int], normalise: Normalize, train: bool
    ) -> None:
        self.paths, self.labels = paths, labels
        crops = [RandomResizedCrop(224), RandomHorizontalFlip()] if train else [Resize(256), CenterCrop(224)]
        self.transform = Compose([*crops, ToTensor(), normalise])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> dict[str, Any]:
        picture = Image.open(self.paths[index]).convert("RGB")
        return {"pixel_values": self.transform(picture), "labels": self.labels[index]}


class TimmClassifier(nn.Module):
    """The timm network of a folder with a new classifier, in the form that the Trainer takes.

    Args:
        folder: with its weights.
        n_classes: of the new classifier.
        trained: beginnings of the names of what trains; None: everything.
    """

    def __init__(self, folder: Path, n_classes: int, trained: tuple[str, ...] | None = None) -> None:
        super().__init__()
        self.model: Any = load_timm_folder(folder, n_classes)
        if trained is not None:
            for name, parameter in self.model.named_parameters():
                parameter.requires_grad = name.startswith(trained)

    def forward(self, pixel_values: Any, labels: Any = None) -> dict[str, Any]:
        """The loss and the scores."""
        logits = self.model(pixel_values)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


Part = tuple[Sequence[str], Sequence[int]]


def train_pictures(
    build: Callable[[], nn.Module], normalise: Normalize, train: Part, test: Part, **settings: Any
) -> Trained:
    """Train a network on photos.

    Args:
        build: makes the network, within the time that is measured.
        normalise: mean and deviation of its source.
        train, test: paths and class indices.
        settings: of the TrainingArguments.
    """
    torch.manual_seed(settings.get("seed", 0))
    started = time.perf_counter()
    return _train(
        build(), Photos(*train, normalise, True), Photos(*test, normalise, False), started, settings
    )


def train_texts(
    folder: Path, n_classes: int, frozen: bool, train: Part, test: Part, **settings: Any
) -> Trained:
    """Train a text classifier.

    Args:
        folder: of a pretrained encoder.
        n_classes: of its new classifier.
        frozen: whether the classifier alone trains.
        train, test: texts and class indices.
        settings: of the TrainingArguments.
    """
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    torch.manual_seed(settings.get("seed", 0))
    started = time.perf_counter()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=n_classes, dtype=torch.float32
    )
    if frozen:
        for parameter in model.base_model.parameters():
            parameter.requires_grad = False

    def tokenized(part: Part) -> Dataset:
        data = Dataset.from_dict({"text": list(part[0]), "labels": list(part[1])})
        return data.map(
            lambda row: tokenizer(row["text"], truncation=True), batched=True, remove_columns=["text"]
        )

    return _train(
        model, tokenized(train), tokenized(test), started, settings,
        data_collator=DataCollatorWithPadding(tokenizer),
    )  # fmt: skip


def timm_normalise(folder: Path) -> Normalize:
    """The normalisation of a timm folder."""
    settings = json.loads((folder / "config.json").read_text())["pretrained_cfg"]
    return Normalize(settings["mean"], settings["std"])


def _train(
    model: nn.Module, train: Any, test: Any, started: float, settings: dict[str, Any], **options: Any
) -> Trained:
    with tempfile.TemporaryDirectory() as temporary:
        arguments = TrainingArguments(
            output_dir=temporary, save_strategy="no", report_to="none", disable_tqdm=True,
            remove_unused_columns=False, use_cpu=True, **settings,
        )  # fmt: skip
        trainer = Trainer(
            model=model, args=arguments, train_dataset=train, eval_dataset=test,
            compute_metrics=lambda p: {"accuracy": float((p.predictions.argmax(-1) == p.label_ids).mean())},
            **options,
        )  # fmt: skip
        setup = time.perf_counter() - started
        trainer.train()
        whole = time.perf_counter() - started - setup
        evaluated = [row["eval_runtime"] for row in trainer.state.log_history if "eval_runtime" in row]
        before = time.perf_counter()
        accuracy = trainer.evaluate()["eval_accuracy"]
        final = time.perf_counter() - before
    return Trained(setup, whole - sum(evaluated), sum(evaluated), final, float(accuracy))
