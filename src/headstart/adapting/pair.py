"""The two domains of an adaptation: source items with labels, and target items whose labels only score the result.

Labels of the target are read, and put aside before anything else is done: no check, split or choice sees them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.adapting.options import AdaptOptions
from headstart.data.findings import listed
from headstart.data.read import read_like
from headstart.errors import DataError, OptionError, did_you_mean
from headstart.files import name_of
from headstart.fitting.shared_options import reading
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.clock import Clock
    from headstart.data import DataSet, Examples, Modality

_LABELS = "headstart labels"  # the column in which the target's labels are put aside
_COLUMNS = ("target", "group", "domain", "text")
LEAST_TARGET = 2  # items of the target
MOST_DOMAINS = 20  # a column of more different values is not shown as one of domains


@dataclass(frozen=True, eq=False)
class PairRead:
    """Both domains as they were read; nothing of an item's content is known yet.

    Attributes:
        source: labelled.
        target: without labels.
        names: of the domains.
    """

    source: Examples
    target: Examples
    names: tuple[str, str]


def read_pair(options: AdaptOptions) -> PairRead:
    """Read two domains: of one data set, or two data sets.

    Args:
        options: where they are.

    Raises:
        DataError: one cannot be read, or has no items.
        OptionError: the domains are not named, or one does not exist.
    """
    from headstart.data import read_examples
    from headstart.data.labels import with_task
    from headstart.tasks import task_named

    settings = reading(options)
    asked = settings.pop("task")
    first = read_examples(options.data, **settings, labels="as written")
    if options.target_data is None:
        source, target, names = _domains_of(first, options)
    else:
        source = first
        target = _read_target(options, {}, settings, first.modality)
        names = names_of(options.data, options.target_data)
    if not source.labelled.any():
        raise DataError(
            f"{names[0]} has no labels to learn from: name their column with --target, or put files into one folder "
            "per class. The labelled data comes first: headstart adapt LABELLED TARGET"
        )
    source = with_task(source, None if asked is None else task_named(asked))
    if not source.task.one_per_item:
        raise DataError(
            f"{options.data}: adapt learns one class per item, and column '{source.target}' is taken as "
            f"{source.task.name}. What works for it: fit on the source domain, then predict the other one; for classes "
            "pass --task classification"
        )
    _require_items(target, names[1])
    return PairRead(source, target, names)


def _require_items(target: Examples, name: str) -> None:
    if len(target) < LEAST_TARGET:
        raise DataError(
            f"{name} has {counted(len(target), 'items')}: at least {LEAST_TARGET} are needed to see how a domain "
            "differs, some hundred to adapt well"
        )


def read_target(options: AdaptOptions, modality: Modality, text: tuple[str, ...]) -> Examples:
    """Read the target of a run.

    Args:
        options: where it is.
        modality: that the run takes.
        text: columns of the run's own texts; (): not known.

    Raises:
        DataError: it cannot be read, is of another modality, or has no items.
    """
    target = _read_target(options, reading(options), {"text": text or None}, modality)
    _require_items(target, name_of(str(options.target_data)))
    return target


def _read_target(
    options: AdaptOptions, given: Mapping[str, Any], own: Mapping[str, Any], modality: Modality
) -> Examples:
    """The second data set; a column of labels that it lacks is no fault, since none are needed.

    Args:
        options: where it is.
        given: columns that the user named for it.
        own: columns of the labelled data.
        modality: that it must have.
    """
    place = str(options.target_data)
    target = read_like(
        place,
        {name: given.get(name) for name in _COLUMNS},
        own,
        labels="as written",
        modality=options.modality or modality,
        follow_outside=options.follow_outside,
    )
    if target.modality != modality:
        raise DataError(
            f"{place} holds {target.modality}, and {options.data} {modality}: both domains must be of one kind"
        )
    return _put_aside(target)


def _put_aside(target: Examples) -> Examples:
    """The items without labels, which go to a column of their own, and without a given split."""
    columns = {name: values for name, values in target.columns.items() if name != _LABELS}
    if target.labels is not None:
        columns[_LABELS] = target.labels
    return replace(target, labels=None, splits=None, split_origin="", columns=columns)


def labels_of(target: Examples) -> np.ndarray | None:
    """The labels that were put aside, of shape (M,), "" where unknown; None if there are none.

    Args:
        target: the target's items, or some of them.
    """
    found = target.columns.get(_LABELS)
    return None if found is None or not any(found) else found


def _domains_of(examples: Examples, options: AdaptOptions) -> tuple[Examples, Examples, tuple[str, str]]:
    """Two domains of one data set."""
    if examples.domains is None:
        raise OptionError(
            f"{options.data}: what is adapted to? Name the column of domains with --domain, and two of them with "
            f"--from and --to{_columns_of_domains(examples)}; or give a second data set: headstart adapt DATA TARGET"
        )
    found = sorted({*examples.domains.tolist()} - {""})
    if not found:
        raise OptionError(f"column '{examples.domain}' of {options.data} is empty: it names no domain")
    names = []
    for flag, name in (("--from", options.from_domain), ("--to", options.to_domain)):
        if name not in found:
            given = f"there is no domain '{name}'.{did_you_mean(name, found)}" if name else "it is missing."
            raise OptionError(
                f"{flag}: {given} Column '{examples.domain}' of {options.data} has the "
                f"{'domain' if len(found) == 1 else 'domains'} {listed(found, 20)}"
            )
        names.append(str(name))
    if names[0] == names[1]:
        raise OptionError(f"--from and --to both name '{names[0]}': name two domains")
    source, target = (examples.take(examples.domains == name) for name in names)
    return source, _put_aside(target), (names[0], names[1])


def _columns_of_domains(examples: Examples) -> str:
    """The columns that may name domains, for a message: those of few different values."""
    few = {name: {*values.tolist()} - {""} for name, values in examples.columns.items()}
    named = [
        f"{name} ({listed(sorted(values), 4)})"
        for name, values in few.items()
        if 2 <= len(values) <= MOST_DOMAINS
    ]
    return f" (of few different values: {listed(named, 4)})" if named else ""


def names_of(source: str | Path, target: str | Path) -> tuple[str, str]:
    """Different names of two domains that are places of their own."""
    names = name_of(source), name_of(target)
    return names if names[0] != names[1] else (f"{names[0]} (source)", f"{names[1]} (target)")


@dataclass(frozen=True, eq=False)
class Target:
    """The target's readable items, and which of them are adapted on and which are scored.

    Attributes:
        data: the items, without labels.
        name: of the domain.
        adapted: positions of the items that are adapted on.
        scored: positions of the items whose labels, if known, score the result.
        codes: class of each item in the order of the source, of shape (M,); -1 where unknown. None without labels.
        new_classes: labels that the source lacks, and how many items have each.
    """

    data: DataSet
    name: str
    adapted: np.ndarray
    scored: np.ndarray
    codes: np.ndarray | None
    new_classes: dict[str, int]

    @property
    def truth(self) -> np.ndarray:
        """Positions of the scored items whose class is known, and is one of the source's."""
        if self.codes is None:
            return self.scored[:0]
        return np.asarray(self.scored[self.codes[self.scored] >= 0])

    @property
    def units(self) -> np.ndarray | None:
        """What belongs together among the items of `truth`."""
        return None if self.data.units is None else self.data.units[self.truth]

    @classmethod
    def of(
        cls, examples: Examples, name: str, classes: Sequence[str], options: AdaptOptions, clock: Clock
    ) -> Target:
        """Check the target's items, and set some aside if that was asked for.

        Args:
            examples: the items, their labels put aside.
            name: of the domain.
            classes: of the source, in order.
            options: for the seed, the threads and the share held out.
            clock: takes the phase "checks".

        Raises:
            DataError: too many items cannot be read.
        """
        from headstart.data import DataSet
        from headstart.data.splits import holdout_indices

        data = DataSet.of(
            examples,
            labels="optional",
            split=False,
            seed=options.seed,
            threads=options.threads,
            clock=clock,
        )
        everything = np.arange(len(data))
        adapted = scored = everything
        if options.holdout is not None:
            strata = np.zeros(len(data), dtype=np.int64)
            adapted, scored = holdout_indices(strata, data.units, options.holdout, options.seed)
            if len(adapted) < LEAST_TARGET:
                raise DataError(
                    f"--holdout {options.holdout:g} leaves {counted(len(adapted), 'items')} of {name} to adapt on: at "
                    f"least {LEAST_TARGET} are needed, some hundred to adapt well"
                )
        codes, new = _codes(labels_of(data.examples), classes)
        return cls(data, name, adapted, scored, codes, new)


def _codes(labels: np.ndarray | None, classes: Sequence[str]) -> tuple[np.ndarray | None, dict[str, int]]:
    """Class numbers of labels, -1 where there is none, and the labels that are no class of the source."""
    if labels is None:
        return None, {}
    numbers = {name: number for number, name in enumerate(classes)}
    codes = np.array([numbers.get(label, -1) for label in labels], dtype=np.int64)
    new = Counter(label for label, code in zip(labels, codes, strict=True) if code < 0 and label)
    return (codes if (codes >= 0).any() else None), dict(new.most_common())
