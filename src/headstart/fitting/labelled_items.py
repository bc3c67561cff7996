"""New labelled items of a finished run: readable, and none that it has learned from.

Legend: N items, C classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.data.findings import listed
from headstart.data.labels import require_labels, with_task
from headstart.data.read import read_like
from headstart.errors import DataError, OptionError
from headstart.fitting.facts import task_words
from headstart.fitting.labelled_options import LabelledOptions
from headstart.progress import say
from headstart.tasks import plain_name, task_named
from headstart.units import UNITS, agreeing, counted

if TYPE_CHECKING:
    from headstart.clock import Clock
    from headstart.data import DataSet, Examples, Modality
    from headstart.runs import Record
    from headstart.runs.model import Model

_KEPT = (  # findings that matter where nothing is learned
    "unreadable",
    "duplicate_within",
    "near_duplicate_within",
    "near_duplicate_pattern",
    "conflicting_labels",
    "no_group",
    "animated",
    "silent",
)


@dataclass(frozen=True, eq=False)
class LabelledItems:
    """Labelled items that a run has not learned from.

    Attributes:
        data: N items, all in the part "test".
        n_learned: how many more the run has learned from; None if that is not known.
        n_shared: how many of the N the run was scored on, or adapted to, before.
    """

    data: DataSet
    n_learned: int | None
    n_shared: int

    def __len__(self) -> int:
        return len(self.data)


def read_labelled(options: LabelledOptions, record: Record, modality: Modality) -> Examples:
    """Read labelled items as the run's own data was read; no item is decoded.

    Args:
        options: how to read them.
        record: of the run.
        modality: that it takes.

    Raises:
        DataError: the data cannot be read, is of another modality, or an item has no label.
    """
    given = {name: getattr(options, name) for name in ("target", "group", "text")}
    own = {} if record.data is None else {name: getattr(record.data, name) or None for name in given}
    settings = {"labels": "as written", "modality": modality, "follow_outside": options.follow_outside}
    examples = read_like(options.data, given, own, **settings)
    if examples.modality != modality:
        raise DataError(
            f"the run {options.run} takes {UNITS[modality]}, and {options.data} holds {UNITS[examples.modality]}: name "
            "other data, or another run"
        )
    if examples.labels is None or not examples.labelled.any():
        raise DataError(
            f"{options.data} has no labels: name their column with --target, or put files into one "
            "folder per class. headstart predict needs no labels"
        )
    examples = with_task(examples, task_named(record.task), required=False)
    require_labels(examples)
    return examples


def unlearned_items(
    examples: Examples, options: LabelledOptions, model: Model, clock: Clock
) -> LabelledItems:
    """Check the items, and leave out those that the run has learned from.

    Args:
        examples: as `read_labelled` returns them.
        options: how to read them.
        model: the run, opened.
        clock: takes the phase "checks".

    Raises:
        DataError: too many cannot be read, or the run has learned from all of them.
    """
    from headstart.data import DataSet
    from headstart.runs.learned_items import LearnedItems, item_hashes

    data = DataSet.of(examples, labels="optional", split=False, threads=options.threads, clock=clock)
    with clock.phase("checks"):
        kept = LearnedItems.load(model.path)
        hashes = item_hashes(data)
        learned = np.isin(hashes, [] if kept is None else kept.learned)
        shared = np.isin(hashes, [] if kept is None else kept.seen) & ~learned
    units = UNITS[model.preprocessing.modality]
    if learned.all():
        raise DataError(
            f"the run {options.run} has learned from all {counted(len(data), units)} of {options.data}: name "
            "items that it has not learned from"
        )
    if learned.any():
        n_learned = int(learned.sum())
        say(
            f"warning: {n_learned:,} of {counted(len(data), units)} {agreeing(n_learned, 'is', 'are')} left out: the "
            f"run has learned from {agreeing(n_learned, 'it', 'them')}"
        )
    data = _as_test(data, np.flatnonzero(~learned))
    return LabelledItems(data, None if kept is None else int(learned.sum()), int(shared.sum()))


def print_items(items: LabelledItems) -> None:
    """Say how many items there are, of what, and what the data checks found."""
    say(f"{counted(len(items), 'items')}, {task_words(items.data.examples)}.")
    for finding in items.data.findings:
        say(f"{finding.severity}: {finding.message}")


def _as_test(data: DataSet, positions: np.ndarray) -> DataSet:
    """Some of the items, as the test part; findings that are about training are left out."""
    from headstart.data import check

    examples, scan, findings = data.examples.take(positions), data.scan.take(positions), data.findings
    if len(positions) < len(data):  # copies of items that were left out are none
        findings = (*(each for each in findings if each.kind == "unreadable"), *check(examples, scan))
    splits = np.full(len(examples), "test", dtype=object)
    return replace(
        data,
        examples=replace(examples, splits=splits, split_origin=""),
        scan=scan,
        findings=tuple(each for each in findings if each.kind in _KEPT),
        units=None if data.units is None else data.units[positions],
    )


def alike_names(unknown: Iterable[str], classes: Iterable[str]) -> str:
    """Unknown labels that differ from a class of the run by case or spaces alone, in a sentence; "" for none.

    Args:
        unknown: labels that the run does not know.
        classes: of the run.
    """
    known = {plain_name(name): name for name in classes}
    pairs = [(name, known[plain_name(name)]) for name in unknown if plain_name(name) in known]
    if not pairs:
        return ""
    shown = listed([f"'{name}' and the run's '{own}'" for name, own in pairs], 3)
    return f"{shown} differ only in how they are written: write them alike if they mean the same"


def require_known(examples: Examples, model: Model, data: str) -> None:
    """Refuse labels of which the run knows none: they are from another column, or another run.

    Args:
        examples: as `read_labelled` returns them.
        model: the run, opened.
        data: as the user named it.

    Raises:
        OptionError: no label is known.
    """
    if not examples.task.has_classes or set(examples.classes) & set(model.classes):
        return
    alike = alike_names(examples.classes, model.classes)
    remedy = alike or "Name the column of the labels with --target, or another run"
    raise OptionError(
        f"{data}: no label of column '{examples.target}' is known to the run: it has {listed(examples.classes, 5)}, "
        f"and the run knows {listed(model.classes, 5)}. {remedy}"
    )
