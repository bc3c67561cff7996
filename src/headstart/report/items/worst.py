"""The held-out items with the largest errors.

Legend: N held-out items, C outputs.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.data.in_memory_data import is_in_memory
from headstart.report.items.gallery import Answer, Gallery, gallery_item
from headstart.report.items.report import HeldOut, MeasuredReport
from headstart.report.shell import Section
from headstart.tasks import Targets

N_SHOWN = {"image": 12, "text": 10, "audio": 8}


@dataclass(frozen=True)
class Wrong:
    """An item that was answered wrongly.

    Attributes:
        row: its place among the held-out items.
        label, predicted: what is true and what the result said.
        probability, probability_of_label: of the class that was predicted, and of the true one; None if the
            task has no single probability for an answer.
    """

    row: int
    label: str
    predicted: str
    probability: float | None = None
    probability_of_label: float | None = None


def worst_section(report: MeasuredReport) -> Iterator[Section]:
    """The section, if something is wrong."""
    task, modality = report.targets.task, report.data.modality
    if not len(report.held_out):
        return
    wrong = wrong_items(report.held_out, report.targets, report.answers)
    if not wrong:
        return
    verb = "called" if task.one_per_item else "given" if task.many_per_item else "said"
    items = [
        gallery_item(
            report.held_out.items[each.row],
            str(report.held_out.names[each.row]),
            modality,
            Answer("is", each.label, each.probability_of_label),
            Answer(verb, each.predicted, each.probability),
        )
        for each in wrong[: N_SHOWN[modality]]
    ]
    lead = (
        "The wrong answers with the highest confidence"
        if task.one_per_item
        else "The answers that are furthest off"
    )
    of = f", of {report.counted(len(wrong))} classified wrongly in all" if task.one_per_item else ""
    deck = (
        f"{lead}{of}. Look here first: for wrong labels, for items that no one could recognise, for a "
        "pattern in the errors."
    )
    content = Gallery(modality, items, _explaining(report, wrong[0]))
    yield Section("worst", "The largest errors", "items/gallery.html.j2", content, deck, "Largest errors")


def _explaining(report: MeasuredReport, worst: Wrong) -> str:
    """The command that explains the worst item if it is a file in the data folder, else some items; "" for none."""
    item, data = report.held_out.items[worst.row], report.data.name
    if not report.predicts or is_in_memory(data):
        return ""
    path = Path(data) / str(report.held_out.names[worst.row])
    is_file = isinstance(item, Path) and item == path
    return shlex.join(["headstart", "explain", report.predicts, str(path) if is_file else data])


def wrong_items(held_out: HeldOut, targets: Targets, answers: np.ndarray) -> list[Wrong]:
    """All items that were answered wrongly, the worst first.

    Classes: the wrong class was predicted with the most confidence over the true one. Labels and quantities: the
    loss is largest.

    Args:
        held_out: what is true and what the result gave.
        targets: the task with the names of its outputs.
        answers: what the result said, as `Targets.decode` returns it, of shape (N,).
    """
    if targets.task.one_per_item:
        return _misclassified(held_out, targets, answers)
    losses = targets.task.item_losses(held_out.outputs, held_out.codes)
    labels = list(held_out.labels)
    if targets.task.has_classes:
        losses = np.where(answers == np.asarray(labels, dtype=object), -1.0, losses)
        texts = [str(answer) for answer in answers]
    else:
        texts = [f"{value:.4g}" for value in answers]
        labels = [f"{float(label):.6g}" for label in labels]
    order = np.argsort(-losses, kind="stable")
    return [Wrong(int(row), str(labels[row]), texts[row]) for row in order[losses[order] > 0]]


def _misclassified(held_out: HeldOut, targets: Targets, answers: np.ndarray) -> list[Wrong]:
    outputs_NC, truth = held_out.outputs, held_out.codes
    named, rows = targets.encode(answers), np.arange(len(held_out))
    of_named, of_truth = outputs_NC[rows, named], outputs_NC[rows, truth]
    wrong = np.flatnonzero(named != truth)
    order = wrong[np.argsort(of_truth[wrong] - of_named[wrong], kind="stable")]
    return [
        Wrong(
            int(row),
            str(held_out.labels[row]),
            targets.classes[named[row]],
            float(of_named[row]),
            float(of_truth[row]),
        )
        for row in order
    ]
