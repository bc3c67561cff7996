"""The progress of a training, and its history, one row per epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headstart import processes
from headstart.errors import DivergenceError
from headstart.files import append_jsonl, write_error, write_jsonl
from headstart.metrics import metric_named
from headstart.progress import say
from headstart.tune.loop.setup import Keeping
from headstart.tune.objectives.validation import Measured
from headstart.tune.recipes.recipe import Recipe

SECONDS_TO_SPEAK = 2.0  # of an epoch; a shorter one is not worth a line


@dataclass
class Progress:
    """The progress of a training.

    Attributes:
        epoch: the current epoch, from 1.
        step: steps done in it.
        loss_sum: of shape (), float64: sum of the losses of its items so far.
        epoch_seconds: time spent in it so far.
        history: one row per finished epoch.
        best_loss: the least validation loss so far; None before the first.
        best_epoch: its epoch; 0 is the start.
        looks: quality and loss of each validation item at every measurement so far, each of shape (2, N), float32.
        stopped_because: None while it runs.
    """

    loss_sum: Tensor
    epoch: int = 1
    step: int = 0
    epoch_seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best_loss: float | None = None
    best_epoch: int = 0
    looks: list[Tensor] = field(default_factory=list)
    stopped_because: str | None = None

    @classmethod
    def start(cls, device: torch.device) -> Progress:
        """The state before the first step."""
        return cls(loss_sum=torch.zeros((), device=device))

    @classmethod
    def restored(cls, values: Mapping[str, Any], device: torch.device, *, with_sum: bool) -> Progress:
        """The state of a checkpoint; the first process alone has the sum of all losses (`with_sum`)."""
        loss_sum = values["loss_sum"].to(device)
        return cls(**{**values, "loss_sum": loss_sum if with_sum else torch.zeros_like(loss_sum)})

    def next_epoch(self) -> None:
        """Go to the next epoch."""
        self.epoch, self.step, self.epoch_seconds = self.epoch + 1, 0, 0.0
        self.loss_sum = torch.zeros_like(self.loss_sum)


def divergence(when: str, rate: float, recipe: Recipe, precision: str) -> DivergenceError:
    """The error of a loss that is not a number.

    Args:
        when: such as "in epoch 1 of 4".
        rate: the highest peak rate of a stage.
        recipe: the settings.
        precision: of the run.
    """
    also = " or --precision fp32" if precision != "fp32" else ""
    return DivergenceError(
        f"the training loss is not a finite number {when}, at lr {rate:g} (head_lr {recipe.head_lr:g}). Try a "
        f"lower rate, such as --lr {rate / 10:g}{also}; if that does not help, look for damaged items"
    )


def history_row(
    epoch: int,
    train_loss: float | None,
    found: Measured | None,
    quality: str | None,
    lr: float,
    seconds: float,
) -> dict[str, Any]:
    """The history's row of an epoch; epoch 0 is the start, before any step.

    Args:
        epoch: counted from 1.
        train_loss: mean loss of its items.
        found: by validation; None without validation.
        quality: name of the quality.
        lr: rate of the first group at its end.
        seconds: it took, validation included.
    """
    row = {"epoch": epoch, "train_loss": train_loss, "validation_loss": None if found is None else found.loss}
    if found is not None:
        row[f"validation_{quality}"] = found.quality
    return {**row, "lr": lr, "seconds": round(seconds, 3)}


def announce(row: Mapping[str, Any], n_epochs: int, keeping: Keeping) -> None:
    """Print an epoch if it was long, and pass it to who listens to the training.

    Args:
        row: as `history_row` gives it.
        n_epochs: of the whole training.
        keeping: has the listener, if any.
    """
    say_row(row, n_epochs)
    if keeping.on_epoch is not None and processes.is_first():
        keeping.on_epoch(keeping.folder, row)


def say_row(row: Mapping[str, Any], n_epochs: int) -> None:
    """Print an epoch that took long enough to be waited for: losses, quality and time in one line.

    Args:
        row: as `history_row` gives it.
        n_epochs: of the whole training.
    """
    if row["seconds"] < SECONDS_TO_SPEAK or row["epoch"] == 0 or not processes.is_first():
        return
    named = {"train_loss": "training loss", "validation_loss": "validation loss"}
    parts = [f"{words} {row[name]:.3f}" for name, words in named.items() if row.get(name) is not None]
    for name, value in row.items():
        if name.startswith("validation_") and name != "validation_loss" and value is not None:
            metric = metric_named(name.removeprefix("validation_"))
            shown = f"{100 * value:.1f}%" if metric.form == "percent" else f"{value:.3f}"
            parts.append(f"{metric.label.lower()} {shown}")
    say(f"epoch {row['epoch']} of {n_epochs}: {', '.join(parts)}, {row['seconds']:.0f} s")


def write_history(path: Path, rows: Sequence[Mapping[str, Any]], *, append: bool) -> None:
    """Write the history as JSON lines: append the last row, or write all rows again.

    Args:
        path: the file.
        rows: all rows so far.
        append: whether the file already holds all rows but the last.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path, error) from None
    if append:
        append_jsonl(path, rows[-1])
    else:
        write_jsonl(path, rows)
