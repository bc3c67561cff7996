"""`TransferAdapter`: a scikit-learn classifier of items of a domain without labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from headstart.adapting.options import AdapterOptions, adapt_options
from headstart.data.given import classes_and_codes, items_of, require_modality
from headstart.errors import DataError
from headstart.fitting.signatures import constructed_from


class TransferAdapter(ClassifierMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that learns from labelled items of one domain and is adapted to items of another without labels.

    Args:
        source: a source URI.
        method: "auto", or the text of a method, such as "standardise+infomax".
        options: every other option by name, such as seed=1 (docs/options.md).

    Attributes:
        classes_: the labels, in the order of the columns of `predict_proba`.
        method_: text of the method that was returned; "none" for source only.
        stopped_because_: why that one, in a sentence.
        scores_: name of each method that was tried to what each selector says of it, without labels of the target.
        head_stages_: names of the stages that every method reads.
        n_features_out_: width of what `transform` gives.

    Example:
        >>> model = TransferAdapter(source="timm:resnet50.a1_in1k")  # doctest: +SKIP
        >>> model.fit(photos, labels, X_target=sketches).predict(sketches)  # doctest: +SKIP
    """

    @constructed_from(AdapterOptions)
    def __init__(self, **options: Any) -> None:
        for name, value in options.items():
            setattr(self, name, value)

    def fit(
        self,
        X: Sequence[Any],
        y: Sequence[Any],
        X_target: Sequence[Any] | None = None,
        groups: Sequence[Any] | None = None,
    ) -> TransferAdapter:
        """Learn from items with labels, and adapt to items without.

        Args:
            X: n_items paths, texts or uint8 pictures (H, W) or (H, W, 3) of the source domain.
            y: n_items labels of any one type, one per item.
            X_target: items of the target domain; none of their labels are needed.
            groups: n_items values kept together in folds.

        Raises:
            DataError: an item cannot be read, there are fewer than two classes, or no items of the target.
        """
        from headstart.adapting.learning import learn_and_adapt
        from headstart.adapting.pair import LEAST_TARGET, PairRead
        from headstart.clock import Clock
        from headstart.data import Examples
        from headstart.fitting.new_items import NewItems

        others = [] if X_target is None else items_of(X_target, "X_target")
        if len(others) < LEAST_TARGET:
            raise DataError(
                f"fit needs at least {LEAST_TARGET} items of the target domain: pass X_target (labels are not needed)"
            )
        classes, codes = classes_and_codes(y)
        labels = [str(code) for code in codes]
        source = Examples.from_lists(items_of(X), labels, groups, modality=self.modality)
        require_modality(others, source.modality, "X_target")
        target = Examples.from_lists(others, modality=self.modality or source.modality)
        given = {name: value for name, value in self.get_params().items() if value is not None}
        options = adapt_options(data="items", **given)
        read = PairRead(source, target, ("source", "target"))
        pair, tried, decision = learn_and_adapt(read, options, Clock())
        chosen, workspace = decision.chosen, pair.domain.workspace
        assert workspace is not None  # it was learned from items
        self._items = NewItems.of(workspace, chosen.features.source)
        self._classifier, self._stages = chosen.fitted, pair.stages
        self._columns = [pair.classes.index(str(code)) for code in range(len(classes))]
        self.classes_, self.method_ = classes, chosen.name
        self.stopped_because_ = decision.reason
        self.scores_ = {each.name: dict(decision.scores.get(each.name, {})) for each in tried}
        self.head_stages_ = pair.domain.stage_names
        self.n_features_out_ = chosen.features.target_MD.shape[1]
        return self

    def transform(self, X: Sequence[Any]) -> np.ndarray:
        """The features of target items that the classifier reads, of shape (n_items, n_features_out_), float32."""
        check_is_fitted(self, "n_features_out_")
        return np.asarray(self._items.features(items_of(X)).stacked(self._stages))

    def predict_proba(self, X: Sequence[Any]) -> np.ndarray:
        """Probabilities of target items, of shape (n_items, n_classes), float32."""
        x_MD = self.transform(X)
        found = self._classifier.probabilities(x_MD)
        return np.asarray(found[:, self._columns], dtype=np.float32)

    def predict(self, X: Sequence[Any]) -> np.ndarray:
        """The likeliest label of each target item, of shape (n_items,)."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])
