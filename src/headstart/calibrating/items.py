"""The new items of which the run knows the labels, and what it gives for them.

Legend: N items, C outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data import DataSet
from headstart.errors import DataError
from headstart.fitting.labelled_items import LabelledItems
from headstart.metrics import Units
from headstart.runs.model import Model
from headstart.tasks import Targets, joined, label_names, task_named


@dataclass(frozen=True, eq=False)
class KnownItems:
    """Items whose labels the run knows.

    Attributes:
        data: N items, all in the part "test".
        targets: the task with the names of the run's outputs.
        codes: the labels as numbers, in the form of `Targets.encode`.
        units: what belongs together among the items.
        unknown: class or label that the run does not know to its number of items. Items of such a class are left out;
            of several labels of an item only these are.
    """

    data: DataSet
    targets: Targets
    codes: NDArray[Any]
    units: Units
    unknown: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.data)

    @classmethod
    def of(cls, items: LabelledItems, model: Model, name: str) -> KnownItems:
        """The items whose labels the run knows.

        Args:
            items: labelled, and not learned from.
            model: the run.
            name: of the data, for messages.

        Raises:
            DataError: they are of one class, or all in one unit, so that nothing could be checked.
        """
        targets = Targets(task_named(model.task), model.classes)
        counts = targets.task.counts(items.data.examples.labels)  # type: ignore[arg-type]
        unknown = {class_: n_items for class_, n_items in counts.items() if class_ not in model.classes}
        data = _without(items.data, unknown)
        codes = targets.encode(data.examples.labels)  # type: ignore[arg-type]
        units = Units.of(data.units, len(data))
        found = cls(data, targets, codes, units, unknown)
        found._check(name)
        return found

    @property
    def labels(self) -> list[str]:
        """The N labels, as text."""
        return [str(label) for label in self.data.examples.labels]  # type: ignore[union-attr]

    def _check(self, name: str) -> None:
        indicators = self.codes if self.targets.task.many_per_item else self.codes[:, None]
        if (indicators == indicators[0]).all():
            answer = self.targets.task.words.answer[0]
            raise DataError(
                f"{name}: every item has the same {answer}, '{self.labels[0]}', so nothing can be said about the "
                "probabilities: add items of other ones, in the shares in which they occur"
            )
        if self.units.n_units < 2:
            raise DataError(
                f"{name}: all items belong to one group or are copies of one item, so no correction could be checked "
                "on others: name items of several groups"
            )


def _without(data: DataSet, unknown: Mapping[str, int]) -> DataSet:
    """The items without those of unknown classes, or without the unknown labels of each."""
    examples = data.examples
    if not unknown or examples.labels is None:
        return data
    if examples.task.many_per_item:
        labels = [joined(set(label_names(label)) - set(unknown)) for label in examples.labels]
        return replace(data, examples=replace(examples, labels=np.array(labels, dtype=object)))
    kept = np.flatnonzero([label not in unknown for label in examples.labels])
    return replace(
        data,
        examples=examples.take(kept),
        scan=data.scan.take(kept),
        units=None if data.units is None else data.units[kept],
    )
