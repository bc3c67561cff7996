"""How much each item counts in learning: weights of items, of classes, or both multiplied.

    w_n = s_n c_k      s_n: the weight of the item, 1 without a column; c_k: the weight of its class k, 1 if not given
    balanced           c_k = sum_n s_n / (K sum_{n of k} s_n), K classes: all classes count the same

as scikit-learn has it, scaled to a mean of 1 over the items that something is learned from or chosen on. Everything
that learns counts by them (the heads, the classical baseline, a training), and so does every choice made in training.
Scores on held-out items count every item the same, and temperatures are fitted without weights: both refer to the data
as it is.

Legend: N items, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.data.findings import Finding, listed
from headstart.errors import DataError, OptionError, did_you_mean
from headstart.fitting.class_weight import BALANCED

if TYPE_CHECKING:
    from headstart.data import DataSet, Examples
    from headstart.fitting.options import FitOptions


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of a data set.

    Attributes:
        class_weight: "balanced", a weight for each class by its name, or None.
        column: name of the column of the items' weights; "" if a script gave them; None: there are none.
        given: of each item, of shape (N,), or None.
        codes: number of the class of each item, of shape (N,); what they are for other tasks, which have no classes.
        classes: K names.
    """

    class_weight: str | Mapping[str, float] | None
    column: str | None
    given: np.ndarray | None
    codes: np.ndarray
    classes: tuple[str, ...]

    @property
    def are_balanced(self) -> bool:
        """Whether every class counts the same, and within a class every item."""
        return self.class_weight == BALANCED and self.given is None

    def of(self, positions: np.ndarray) -> np.ndarray | None:
        """The weights of some items, of shape (n_items,), of mean 1; None if none of them has a weight above 0.

        Args:
            positions: of the items; balanced weights make the classes of these items count the same.
        """
        weights = np.ones(len(positions)) if self.given is None else self.given[positions]
        if self.class_weight is not None:
            weights = weights * self._by_class(positions, weights)[self.codes[positions]]
        mean = weights.mean() if len(weights) else 0.0
        return weights / mean if mean > 0 else None

    def _by_class(self, positions: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The weight of each class, of shape (K,)."""
        if self.class_weight == BALANCED:
            totals = np.bincount(self.codes[positions], weights, minlength=len(self.classes))
            occurs = totals > 0
            return np.where(occurs, weights.sum() / (occurs.sum() * np.where(occurs, totals, 1.0)), 1.0)
        assert isinstance(self.class_weight, Mapping)
        return np.array([self.class_weight.get(name, 1.0) for name in self.classes])

    def to_json(self, positions: np.ndarray) -> dict[str, Any]:
        """What metrics.json says of them.

        Args:
            positions: of the items that the result was learned from.
        """
        found: dict[str, Any] = {"balanced": self.are_balanced}
        if self.class_weight is not None:
            own = np.ones(len(positions)) if self.given is None else self.given[positions]
            by_class = self._by_class(positions, own)
            found["class_weight"] = self.class_weight if self.class_weight == BALANCED else "given"
            found["classes"] = dict(zip(self.classes, by_class.tolist()))
        if self.given is not None:
            found["column"] = self.column
        return found

    def finding(self, positions: np.ndarray) -> Finding:
        """What a reader must know of them.

        Args:
            positions: of the items that are learned from.
        """
        said = self.to_json(positions)
        parts = []
        if "classes" in said:
            named = listed((f"{name} {weight:.3g}" for name, weight in said["classes"].items()), 10)
            parts.append(
                f"Classes are weighted{' to count the same' if self.class_weight == BALANCED else ''}: {named}."
            )
        if self.given is not None:
            by = f"column '{self.column}'" if self.column else "sample_weight"
            parts.append(f"Items are weighted by {by}.")
        parts.append(
            "Heads, the classical baseline and trainings learn with these weights, and what is chosen by "
            "cross-validation or on validation items counts by them. Scores on held-out items count every item the "
            "same, and probabilities are calibrated on the items as they are."
        )
        return Finding("weights", "note", " ".join(parts))


def check_weights(options: FitOptions, examples: Examples) -> bool:
    """Refuse weights that do not fit what is learned, before anything long starts.

    Args:
        options: the options.
        examples: items with labels.

    Returns:
        Whether items or classes have weights.

    Raises:
        OptionError: the target has no classes, or a class is not among them.
    """
    if options.class_weight is None:
        return examples.weights is not None
    if not examples.task.one_per_item:
        what = "may have several labels per item" if examples.task.has_classes else "is a quantity"
        raise OptionError(
            f"class_weight needs one class per item, and the target {what}: weigh items instead (--weight COLUMN, "
            "in an estimator sample_weight)"
        )
    if isinstance(options.class_weight, Mapping):
        for name in options.class_weight:
            if name not in examples.classes:
                raise OptionError(
                    f"class_weight names '{name}', which is no class of the data."
                    f"{did_you_mean(name, examples.classes)} Classes: {listed(examples.classes, 10)}"
                )
    return True


def weights_of(options: FitOptions, data: DataSet) -> Weights | None:
    """The weights of a data set; None if all items count the same.

    Args:
        options: the options.
        data: checked and split.

    Raises:
        DataError: a class, or the whole training part, has only items of weight 0.
    """
    examples = data.examples
    if options.class_weight is None and examples.weights is None:
        return None
    found = Weights(
        options.class_weight, examples.weight, examples.weights, np.asarray(data.codes), examples.classes
    )
    train = data.positions("train")
    if examples.weights is not None:
        _require_weight(found, train, examples)
    return found


def _require_weight(found: Weights, train: np.ndarray, examples: Examples) -> None:
    """Refuse a training part in which something has no weight at all."""
    given = np.asarray(found.given)[train]
    if not given.any():
        raise DataError("Every item of the training part has weight 0: nothing can be learned from it.")
    if examples.task.one_per_item:
        codes = found.codes[train]
        for code in np.unique(codes):
            if not given[codes == code].any():
                raise DataError(
                    f"Every training item of class '{found.classes[code]}' has weight 0, so it cannot be learned: "
                    "leave out the items of this class, or give one of them a weight."
                )
