"""Fit every method of an adaptation, each on the features that it asks for.

Legend: M target items, C classes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.adapt import Domains, LinearClassifier, Method
from headstart.adapt.method_names import BATCH_NORM, Parts
from headstart.adapting.extracted import ExtractedPair, PairFeatures
from headstart.errors import HeadstartError, one_line
from headstart.progress import progress
from headstart.runs.adaptation import SOURCE_ONLY


@dataclass(frozen=True, eq=False)
class Tried:
    """A method that was fitted, or why it could not be.

    Attributes:
        name: its text.
        label: its name for a reader.
        method: what is done with the features.
        features: of both domains, that it reads.
        domains: what it learned from, with the class shares that its correction gave the target.
        classifier: of raw features of the target; None if it could not be fitted.
        seconds: to fit it.
        why: it could not be fitted; "" if it was.
    """

    name: str
    label: str
    method: Method
    features: PairFeatures
    domains: Domains
    classifier: LinearClassifier | None
    seconds: float
    why: str = ""

    @property
    def fitted(self) -> LinearClassifier:
        """The classifier.

        Raises:
            HeadstartError: an internal error: it was not fitted.
        """
        if self.classifier is None:
            raise HeadstartError(f"{self.name} was not fitted")
        return self.classifier

    def probabilities(self, positions: np.ndarray) -> np.ndarray:
        """Probabilities of target items, of shape (n_items, C), float32.

        Args:
            positions: of the items.
        """
        return self.fitted.probabilities(self.features.target_MD[positions]).astype(np.float32)

    def answers(self, positions: np.ndarray) -> np.ndarray:
        """Predicted classes of target items, of shape (n_items,).

        Args:
            positions: of the items.
        """
        return np.asarray(self.probabilities(positions).argmax(axis=1))


def source_only(pair: ExtractedPair) -> Tried:
    """What a fit of the source domain predicts with.

    Args:
        pair: both domains, with features.
    """
    plain = pair.plain
    return Tried(SOURCE_ONLY, Method().label, Method(), plain, plain.domains, pair.source_only, 0.0)


def try_all(names: Sequence[str], pair: ExtractedPair, features: Mapping[str, PairFeatures]) -> list[Tried]:
    """Fit methods; one that fails is kept with its reason.

    Args:
        names: texts of the methods; source only among them is what a fit returns.
        pair: both domains, with features.
        features: of both domains, by the first part of a method's text, "" for the source's own network.
    """
    found = []
    with progress("Adapting", len(names), "methods") as advance:
        for name in names:
            found.append(source_only(pair) if name == SOURCE_ONLY else _fitted(name, features))
            advance(1)
    return found


def _fitted(name: str, features: Mapping[str, PairFeatures]) -> Tried:
    own_statistics, method = Parts.of(name).batch_norm, Method.parse(name)
    own = features[BATCH_NORM if own_statistics else ""]
    label = f"{_OWN_STATISTICS}, {method.label}" if own_statistics else method.label
    label = label.removesuffix(f", {Method().label}")
    started = time.perf_counter()
    try:
        domains = method.corrected(own.domains)
        classifier = method.uncorrected.fit(domains)
    except HeadstartError as error:
        return Tried(
            name, label, method, own, own.domains, None, time.perf_counter() - started, one_line(error)
        )
    return Tried(name, label, method, own, domains, classifier, time.perf_counter() - started)


_OWN_STATISTICS = "batch-norm statistics of each domain"
