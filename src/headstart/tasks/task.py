"""What is learned: the interface of the three tasks.

A task knows how labels become numbers and back, what a head's scores mean, the loss and quality of each item,
its metrics, and the loss of training. No other code compares tasks.

Legend: N items, C outputs (classes, labels, or 1 for a quantity).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from headstart.metrics.interval import Interval
from headstart.metrics.spread import Units
from headstart.tasks.scale import TargetScale

if TYPE_CHECKING:
    from torch import Tensor

    from headstart.tasks.balance import Balance

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Words:
    """What things are called in messages, reports and cards.

    Attributes:
        outputs: what the columns are, in the plural.
        answer: what one item has, singular and plural.
        labels: what the items' true answers are called.
        purpose: what the model does, with {n} outputs, {units} and {target}.
        gives: what the exported program gives, with {target}.
        knows: what the model cannot do, a sentence for its limits.
        loss: what the loss of an item is called.
        quality: the metric of `Task.quality` inside a sentence.
        judged: what counts the same if rare classes weigh more.
        constant: title of the best constant answer, and what it does.
        best_constant: the same inside a sentence.
    """

    outputs: str
    answer: tuple[str, str]
    labels: str
    purpose: str
    gives: str
    knows: str
    loss: str
    quality: str
    judged: str
    constant: tuple[str, str]
    best_constant: str


class Task(ABC):
    """One kind of task; there is one object of each kind.

    Attributes:
        name: as options and files write it.
        one_per_item: an item has exactly one class, and its quality is right or wrong (1 or 0).
        many_per_item: an item has any number of labels.
        quality: key of the metric that is the mean of `item_quality`.
        least_quality: the smallest that it can be.
        headline: key of the metric that leads a report.
        verdict_metric: key of the metric by which two results are compared.
        problem_type: as transformers names the task.
        dtype: of outputs.
        words: what things are called.
    """

    _one: ClassVar[Any]

    name: str
    one_per_item: bool = False
    many_per_item: bool = False
    quality: str
    least_quality: float = -np.inf
    headline: str
    verdict_metric: str
    problem_type: str
    dtype: type[np.floating] = np.float32
    words: Words

    @property
    def has_classes(self) -> bool:
        """Whether outputs are named classes or labels, each with a probability; else they are a quantity."""
        return self.one_per_item or self.many_per_item

    def quality_name(self, *, balanced: bool = False) -> str:
        """Key of the quality; `balanced`: with every class counting the same."""
        return self.quality

    # Labels and numbers

    @abstractmethod
    def names_in(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The distinct classes or labels that occur, in natural order; () for a quantity."""

    def output_names(self, labels: Iterable[str], target: str) -> tuple[str, ...]:
        """Names of the C outputs: the classes or labels that occur, or the name of a quantity.

        Args:
            labels: texts of the items.
            target: name of the target.
        """
        return self.names_in(labels) if self.has_classes else (target,)

    @abstractmethod
    def counts(self, labels: Iterable[str]) -> dict[str, int]:
        """How many items have each class or label; nothing for a quantity."""

    @abstractmethod
    def encode(self, labels: Sequence[str], classes: tuple[str, ...]) -> NDArray[Any]:
        """Labels as numbers: int64 (N,) class numbers, float32 (N, C) of 0 and 1, or float64 (N, 1) values.

        Args:
            labels: N texts.
            classes: names of the C outputs.

        Raises:
            DataError: a label is not among the classes, or is not a finite number.
        """

    @abstractmethod
    def decode(self, outputs_NC: NDArray[np.floating], classes: tuple[str, ...]) -> NDArray[Any]:
        """Predictions from outputs, of shape (N,): class names, joined labels, or float64 values.

        Args:
            outputs_NC: probabilities, or values for a quantity.
            classes: names of the C outputs.
        """

    @abstractmethod
    def strata(self, targets: NDArray[Any]) -> NDArray[np.int64]:
        """What a split keeps in proportion, of shape (N,): classes, combinations of labels, or ranges of values.

        Args:
            targets: as `encode` gives them.
        """

    def scale_of(self, targets: NDArray[Any]) -> TargetScale:
        """The unit in which heads are fitted, from the targets of the training items."""
        return TargetScale()

    @abstractmethod
    def ridge_targets(self, targets: NDArray[Any], n_outputs: int, scale: TargetScale) -> Float:
        """What a ridge head is fitted to, of shape (N, C), float64, in the unit of `scale_of`."""

    # Scores and outputs

    @abstractmethod
    def activated(
        self, scores_NC: NDArray[np.floating], temperature: NDArray[np.floating] | float = 1.0
    ) -> NDArray[Any]:
        """Return probabilities, or values for a quantity, of shape (N, C), of `dtype`."""

    @abstractmethod
    def activated_tensor(self, scores_NC: Tensor, temperature: Tensor | float = 1.0) -> Tensor:
        """Return the same of a tensor."""

    # Loss and quality of outputs

    @abstractmethod
    def item_losses(self, outputs_NC: NDArray[np.floating], targets: NDArray[Any]) -> Float:
        """Return the loss of each item, of shape (N,); a probability of 0 counts as 1e-12.

        Args:
            outputs_NC: probabilities or values.
            targets: as `encode` gives them.
        """

    def item_quality(
        self,
        outputs_NC: NDArray[np.floating],
        targets: NDArray[Any],
        weights_N: NDArray[np.floating] | None = None,
    ) -> Float:
        """Return how good the answer is for each item, of shape (N,); larger is better.

        Classes: 1 for right, 0 for wrong. Else how much of the loss of the best constant answer is saved,
        1 - loss / mean loss of the constant. The mean is the accuracy, the explained share of the log loss, or R2;
        with weights it is the weighted one.

        Args:
            outputs_NC: probabilities (for classes: any scores in their order) or values.
            targets: as `encode` gives them.
            weights_N: of the items, of shape (N,), not all 0; None: all the same.
        """
        plain = np.tile(self.constant(targets, outputs_NC.shape[1], weights_N), (len(targets), 1))
        counts = 1.0 if weights_N is None else weights_N / np.mean(weights_N)
        without = float((counts * self.item_losses(plain, targets)).mean())
        return np.asarray(1.0 - counts * self.item_losses(outputs_NC, targets) / max(without, 1e-300))

    @abstractmethod
    def constant(
        self, targets: NDArray[Any], n_outputs: int, weights_N: NDArray[np.floating] | None = None
    ) -> Float:
        """Return the best answer that ignores the items, of shape (C,): shares of classes or labels, or the mean.

        Args:
            targets: as `encode` gives them.
            n_outputs: C.
            weights_N: of the items, of shape (N,), not all 0; None: all the same.
        """

    @abstractmethod
    def metrics(
        self,
        targets: NDArray[Any],
        outputs_NC: NDArray[np.floating],
        units: Units | NDArray[Any] | None = None,
    ) -> dict[str, Interval]:
        """Return every metric of the task with its interval.

        Args:
            targets: as `encode` gives them.
            outputs_NC: probabilities or values.
            units: what belongs together, of shape (N,); None: every item is a unit of its own.
        """

    @abstractmethod
    def difference(
        self,
        targets: NDArray[Any],
        outputs_NC: NDArray[np.floating],
        others_NC: NDArray[np.floating],
        units: Units | NDArray[Any] | None = None,
    ) -> Interval:
        """Return the paired difference of two results in `verdict_metric`, the first minus the second.

        Args:
            targets: as `encode` gives them.
            outputs_NC: probabilities or values of the first.
            others_NC: of the second.
            units: what belongs together, of shape (N,); None: every item is a unit of its own.
        """

    # Training

    def balance(self, targets: Tensor, n_outputs: int, **how: Any) -> Balance:
        """How the loss of a training treats rare classes.

        Args:
            targets: of the training items.
            n_outputs: C.
            **how: `weighted`, `adjustment` and `smoothing` of `balance.of_classes`.
        """
        from headstart.tasks.balance import Balance

        return Balance()

    @abstractmethod
    def training_losses(self, scores_NC: Tensor, targets: Tensor, balance: Balance) -> Tensor:
        """The loss of each item in training, of shape (N,), in the precision of the scores.

        Args:
            scores_NC: before softmax or sigmoid, or standardised values.
            targets: of the same items; of classes also as shares, float of shape (N, C) (what mixing gives).
            balance: how rare classes are treated.
        """

    def __new__(cls) -> Self:
        # One object per task: a copy or an unpickled one is the same object.
        if "_one" not in cls.__dict__:
            cls._one = super().__new__(cls)
        one: Self = cls._one
        return one

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<task {self.name}>"
