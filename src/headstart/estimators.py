"""The scikit-learn face: `TransferClassifier` in `cross_val_score`, `Pipeline` and `clone`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from headstart.errors import DataError

if TYPE_CHECKING:
    from headstart.data import Modality


class TransferClassifier(ClassifierMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of files, texts or pictures on a pretrained source.

    Args:
        source: a source URI.
        freeze: a freeze policy.
        arch: the architecture of bare weights, or FILE:Class.
        modality: "image", "text" or "audio"; None: told from the items.
        budget: time for freeze="auto", such as "5m".
        epochs, lr, batch_size: training settings; None: the defaults of the modality.
        seed: the one seed.
        precision: "auto", "fp32" or "bf16".
        device: "auto", "cpu", "cuda" or "mps".
        store: the feature store's folder.
        threads: cores to use.

    Attributes:
        classes_: the labels, in the order of the columns of `predict_proba`.
        profile_: stage name to the cross-validated accuracy of a probe there.
        head_stages_: names of the stages that the head reads.
        stopped_because_: why it ended as it did, in a sentence.
        n_features_out_: width of what `transform` gives.

    Example:
        >>> model = TransferClassifier(source="timm:resnet50.a1_in1k", freeze="all")  # doctest: +SKIP
        >>> model.fit(paths, labels).predict(new_paths)  # doctest: +SKIP
    """

    def __init__(
        self,
        source: str | None = None,
        freeze: str = "all",
        *,
        arch: str | None = None,
        modality: Modality | None = None,
        budget: str | None = None,
        epochs: int | None = None,
        lr: float | None = None,
        batch_size: int | None = None,
        seed: int = 0,
        precision: str = "auto",
        device: str = "auto",
        store: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.source = source
        self.freeze = freeze
        self.arch = arch
        self.modality = modality
        self.budget = budget
        self.epochs = epochs
        self.lr = lr
        self.batch_size = batch_size
        self.seed = seed
        self.precision = precision
        self.device = device
        self.store = store
        self.threads = threads

    def fit(
        self, X: Sequence[Any], y: Sequence[Any], groups: Sequence[Any] | None = None
    ) -> TransferClassifier:
        """Learn from items and labels.

        Args:
            X: n_items paths, texts or uint8 pictures (H, W) or (H, W, 3).
            y: n_items labels of any one type.
            groups: n_items values kept together in folds.

        Raises:
            DataError: an item cannot be read, or there are fewer than two classes.
        """
        from headstart.data import Examples
        from headstart.verbs.clock import Clock
        from headstart.verbs.config import fit_config
        from headstart.verbs.learn import Learner
        from headstart.verbs.prepare import prepare_examples

        self.classes_ = np.unique(np.asarray(y))
        codes = np.searchsorted(self.classes_, np.asarray(y))
        examples = Examples.from_lists(
            _plain(X), [str(code) for code in codes], groups, modality=self.modality
        )
        options = {name: value for name, value in self.get_params().items() if value is not None}
        config = fit_config(data="items", **options)
        clock = Clock()
        job = prepare_examples(examples, config, clock, split=False)
        if len(job.examples) < len(examples):
            raise DataError(f"an item cannot be read: {job.findings[0].message}")
        self._learner = Learner(job, config, clock)
        everything = np.arange(len(examples))
        learned = self._learner.learn(everything, everything[:0], None, False)
        self._learned = learned
        self.profile_ = {row.stage: row.score for row in learned.choice.profile}
        stages = tuple(job.source.stages)
        self.head_stages_ = tuple(stages[index] for index in learned.head.stages)
        self.stopped_because_ = learned.reason
        self.n_features_out_ = len(learned.head.mean)
        return self

    def transform(self, X: Sequence[Any]) -> np.ndarray:
        """The pooled features that the head reads, of shape (n_items, n_features_out_), float32."""
        check_is_fitted(self, "classes_")
        return self._learner.features_of(self._learned, _plain(X))

    def predict_proba(self, X: Sequence[Any]) -> np.ndarray:
        """Calibrated probabilities, of shape (n_items, n_classes), float32."""
        features = self.transform(X)
        return self._learned.head.probabilities(features)

    def predict(self, X: Sequence[Any]) -> np.ndarray:
        """The likeliest label of each item, of shape (n_items,)."""
        most_probable = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[most_probable])


def _plain(X: Sequence[Any]) -> Any:
    """What scikit-learn hands over as a 1-d array, as a list of paths or texts."""
    if isinstance(X, np.ndarray) and X.ndim == 1:
        return X.tolist()
    return X
