"""`TransferClassifier` and `TransferRegressor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from headstart.data.given import classes_and_codes, items_of
from headstart.errors import DataError
from headstart.estimators.weights import by_code, sample_weights
from headstart.fitting.options import LearnOptions, fit_options
from headstart.fitting.signatures import constructed_from
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, Task


class _Transfer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Settings, fitting and features of both estimators."""

    @constructed_from(LearnOptions)
    def __init__(self, **options: Any) -> None:
        for name, value in options.items():
            setattr(self, name, value)

    def _learn(
        self,
        X: Sequence[Any],
        labels: list[str],
        groups: Sequence[Any] | None,
        task: Task,
        sample_weight: Any,
        **changed: Any,
    ) -> None:
        """Learn from items and labels as text; sets what scikit-learn calls fitted attributes.

        Args:
            X, groups, sample_weight: as `fit` takes them.
            labels: n_items texts.
            task: what they are.
            changed: options in another form than the constructor took.
        """
        from headstart.clock import Clock
        from headstart.data import Examples
        from headstart.features import Setting
        from headstart.fitting.learning import learn
        from headstart.fitting.new_items import NewItems
        from headstart.fitting.plan import plan_examples
        from headstart.fitting.workspace import Workspace

        items, weights = items_of(X), sample_weights(sample_weight, len(labels))
        examples = Examples.from_lists(
            items, labels, groups, modality=self.modality, task=task, weights=weights
        )
        given = {name: value for name, value in self.get_params().items() if value is not None}
        given |= changed
        options = fit_options(data="items", **given)
        clock = Clock()
        plan = plan_examples(examples, options, clock, split=False)
        if len(plan.data) < len(examples):
            raise DataError(f"an item cannot be read: {plan.findings[0].message}")
        setting = Setting.choose(options.device, options.precision, options.threads, options.store)
        workspace = Workspace(plan, setting, options.store, clock)
        everything = np.arange(len(examples))
        result = learn(workspace, everything, everything[:0], None, False)
        self._items, self._head = NewItems.of(workspace, result.source), result.head
        self.profile_ = {row.stage: row.score for row in result.choice.profile}
        stages = tuple(plan.source.stages)
        self.head_stages_ = tuple(stages[index] for index in result.head.stages)
        self.stopped_because_ = result.reason
        self.n_features_out_ = result.head.n_features

    def transform(self, X: Sequence[Any]) -> np.ndarray:
        """The pooled features that the head reads, of shape (n_items, n_features_out_), float32."""
        check_is_fitted(self, "n_features_out_")
        return self._items.features(items_of(X)).stacked(self._head.stages)

    def _outputs(self, X: Sequence[Any]) -> np.ndarray:
        """What the head gives, of shape (n_items, n_outputs), float32."""
        features = self.transform(X)
        return self._head.outputs(features)


class TransferClassifier(ClassifierMixin, _Transfer):  # type: ignore[misc]
    """A classifier of files, texts or pictures on a pretrained source, of one class or several labels per item.

    Args:
        source: a source URI.
        freeze: a freeze policy.
        options: every other option of learning by name, such as seed=1 (docs/options.md).

    Attributes:
        classes_: the labels, in the order of the columns of `predict_proba`.
        multilabel_: whether an item may have several of them.
        profile_: stage name to the cross-validated accuracy of a probe there (for several labels, the explained
            share of the log loss).
        head_stages_: names of the stages that the head reads.
        stopped_because_: why the fit ended, in a sentence.
        n_features_out_: width of what `transform` gives.

    Example:
        >>> model = TransferClassifier(source="timm:resnet50.a1_in1k", freeze="all")  # doctest: +SKIP
        >>> model.fit(paths, labels).predict(new_paths)  # doctest: +SKIP
    """

    def fit(
        self,
        X: Sequence[Any],
        y: Sequence[Any],
        groups: Sequence[Any] | None = None,
        sample_weight: Any = None,
    ) -> TransferClassifier:
        """Learn from items and labels.

        Args:
            X: n_items paths, texts or uint8 pictures (H, W) or (H, W, 3).
            y: n_items labels of any one type; for several labels per item an indicator of shape (n_items,
                n_labels), or n_items lists, tuples or sets of labels.
            groups: n_items values kept together in folds.
            sample_weight: how much each item counts in learning, n_items numbers of at least 0; None: all the same.

        Raises:
            DataError: an item cannot be read, a weight is none, or there are fewer than two classes.
            OptionError: `class_weight` names no class of y.
        """
        sets = _label_sets(y)
        self.multilabel_ = sets is not None
        if sets is None:
            self.classes_, codes = classes_and_codes(y)
            changed = {"class_weight": by_code(self.class_weight, self.classes_)}
            self._learn(X, [str(code) for code in codes], groups, CLASSIFICATION, sample_weight, **changed)
            self._columns = np.arange(len(self.classes_))
            return self
        names = sorted({name for row in sets for name in row})
        width = np.asarray(y).shape[1] if _is_indicator(y) else len(names)
        self._indicator = _is_indicator(y)
        self.classes_ = np.arange(width) if self._indicator else np.array(names)
        number = {name: index for index, name in enumerate(self.classes_.tolist())}
        texts = ["|".join(str(number[name]) for name in sorted(row)) or "-" for row in sets]
        self._learn(X, texts, groups, MULTILABEL, sample_weight)
        # A label that no item had has no column of the head.
        self._columns = np.array([int(name) for name in self._head.classes])
        return self

    def predict_proba(self, X: Sequence[Any]) -> np.ndarray:
        """Calibrated probabilities, of shape (n_items, n_classes), float32; of several labels, independent."""
        outputs = self._outputs(X)
        probabilities = np.zeros((len(outputs), len(self.classes_)), np.float32)
        probabilities[:, self._columns] = outputs
        return probabilities

    def predict(self, X: Sequence[Any]) -> Any:
        """The likeliest label of each item, of shape (n_items,); for several labels what `y` was like.

        That is an indicator of shape (n_items, n_labels), or n_items tuples of labels, of a probability of at
        least one half.
        """
        probabilities = self.predict_proba(X)
        if not self.multilabel_:
            return np.asarray(self.classes_[probabilities.argmax(axis=1)])
        named = probabilities >= 0.5
        if self._indicator:
            return named.astype(np.int64)
        return [tuple(self.classes_[row].tolist()) for row in named]

    def score(self, X: Sequence[Any], y: Sequence[Any], sample_weight: Any = None) -> float:
        """The accuracy; for several labels the share of items of which every label is right.

        Args:
            X: n_items.
            y: their labels, as `fit` takes them.
            sample_weight: of shape (n_items,), or None.
        """
        if not self.multilabel_ or self._indicator:
            return float(super().score(X, y, sample_weight))
        right = [set(one) == set(other) for one, other in zip(self.predict(X), y, strict=True)]
        return float(np.average(right, weights=sample_weight))


class TransferRegressor(RegressorMixin, _Transfer):  # type: ignore[misc]
    """A regressor of files, texts or pictures on a pretrained source; `score` is R2.

    Args:
        source: a source URI.
        freeze: a freeze policy.
        options: every other option of learning by name, such as seed=1 (docs/options.md).

    Attributes:
        profile_: stage name to the cross-validated R2 of a probe there.
        head_stages_: names of the stages that the head reads.
        stopped_because_: why the fit ended, in a sentence.
        n_features_out_: width of what `transform` gives.

    Example:
        >>> model = TransferRegressor(source="timm:resnet50.a1_in1k")  # doctest: +SKIP
        >>> model.fit(paths, prices).score(new_paths, new_prices)  # doctest: +SKIP
    """

    def fit(
        self,
        X: Sequence[Any],
        y: Sequence[float],
        groups: Sequence[Any] | None = None,
        sample_weight: Any = None,
    ) -> TransferRegressor:
        """Learn from items and numbers.

        Args:
            X: n_items paths, texts or uint8 pictures (H, W) or (H, W, 3).
            y: n_items finite numbers.
            groups: n_items values kept together in folds.
            sample_weight: how much each item counts in learning, n_items numbers of at least 0; None: all the same.

        Raises:
            DataError: an item cannot be read, a weight is none, or a number is not finite.
        """
        values = np.asarray(y, dtype=np.float64).reshape(-1)
        self._learn(X, [repr(float(value)) for value in values], groups, REGRESSION, sample_weight)
        return self

    def predict(self, X: Sequence[Any]) -> np.ndarray:
        """The value of each item, of shape (n_items,), float64."""
        return self._outputs(X)[:, 0].astype(np.float64)


def _is_indicator(y: Any) -> bool:
    """Whether labels come as rows of 0 and 1."""
    if isinstance(y, (list, tuple)) and len(y) and not isinstance(y[0], np.ndarray):
        return False
    return bool(np.ndim(y) == 2 and np.isin(np.asarray(y), (0, 1)).all())


def _label_sets(y: Any) -> list[list[Any]] | None:
    """The labels of each item if an item may have several; None for one class per item."""
    if _is_indicator(y):
        return [np.flatnonzero(row).tolist() for row in np.asarray(y)]
    if all(isinstance(row, (list, tuple, set, frozenset)) for row in y):
        return [sorted(set(row)) for row in y]
    return None
