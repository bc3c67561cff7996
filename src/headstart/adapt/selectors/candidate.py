"""What a selector judges: a fitted method, and what all methods of one pair of domains are judged on.

No label of a target item is known here, and no source item is scored by a classifier that has learned from its label:

1. Source items are dealt into folds, groups kept together.
2. Both domains are aligned once, with all items. Where an alignment uses classes of source items, it is given those
   that source only predicts out of fold.
3. For each fold, the learner learns from the aligned source items outside it, and all aligned target items. It scores
   the source items inside it.

Legend: N source items, M target items, D features, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.affine import LinearClassifier
from headstart.adapt.domains import Codes, Domains, Float
from headstart.adapt.method import Method
from headstart.adapt.selectors.clusters import clusters
from headstart.adapt.selectors.density import density_ratio, leading
from headstart.data.splits import fold_indices

N_FOLDS = (
    2  # the time of a fit grows faster than the number of its items, so two halves cost less than one whole
)
SOURCE_ONLY = Method()


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Scores of source items by classifiers that have not learned from the label of the item.

    Attributes:
        source_NC: before the softmax, of shape (N, C), float64.
        aligned: the features that they learned from and were applied to.
    """

    source_NC: Float
    aligned: Domains

    @property
    def predicted_N(self) -> Codes:
        """Predicted classes of the source items, of shape (N,)."""
        return np.asarray(self.source_NC.argmax(axis=1), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What all candidates of one pair of domains share.

    Attributes:
        domains: the source and target features.
        n_folds: folds at most.
    """

    domains: Domains
    n_folds: int = N_FOLDS

    @cached_property
    def folds_N(self) -> NDArray[np.int64]:
        """Fold of each source item, of shape (N,).

        Raises:
            DataError: no folds can be made (see `data.splits.fold_indices`).
        """
        domains = self.domains
        return fold_indices(domains.codes_N, domains.groups_N, self.n_folds, domains.seed)

    @cached_property
    def target_folds_M(self) -> NDArray[np.int64]:
        """Fold of each target item for the classifier of domains, drawn at random, of shape (M,)."""
        n_items, n_folds = len(self.domains.target_MD), int(self.folds_N.max()) + 1
        rng = np.random.default_rng(self.domains.seed)
        return np.asarray(rng.permutation(n_items) % n_folds, dtype=np.int64)

    @cached_property
    def source_only(self) -> HeldOut:
        """Out-of-fold scores of source only."""
        return held_out(SOURCE_ONLY, self.domains, self.domains.codes_N, self.folds_N)

    @cached_property
    def density_ratio_N(self) -> Float:
        """Density of the target divided by that of the source, at each source item, of shape (N,)."""
        return self.density_ratio(self.domains)

    def density_ratio(self, domains: Domains) -> Float:
        """The same for other features of the same items.

        Args:
            domains: with these features.
        """
        sides = leading(domains.source_ND, domains.target_MD, seed=domains.seed)
        return density_ratio(*sides, self.folds_N, self.target_folds_M)

    @cached_property
    def clusters_M(self) -> Codes:
        """Cluster of each target item, of shape (M,), as many clusters as classes."""
        return clusters(self.domains.target_MD, self.domains.n_classes, self.domains.seed)

    def candidate(self, method: Method, classifier: LinearClassifier | None = None) -> Candidate:
        """A method on these domains.

        Args:
            method: the method.
            classifier: what it has learned from them; None: it is fitted here.
        """
        return Candidate(self, method, method.fit(self.domains) if classifier is None else classifier)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A method that was fitted on a pair of domains; made by `Comparison.candidate`.

    Attributes:
        comparison: what it shares with the other candidates.
        method: the method.
        classifier: what it has learned.
    """

    comparison: Comparison
    method: Method
    classifier: LinearClassifier

    @property
    def domains(self) -> Domains:
        """The source and target features."""
        return self.comparison.domains

    @cached_property
    def probabilities_MC(self) -> Float:
        """Probabilities of the classes of the target items, of shape (M, C)."""
        return self.classifier.probabilities(self.domains.target_MD)

    @property
    def predicted_M(self) -> Codes:
        """Predicted classes of the target items, of shape (M,)."""
        return np.asarray(self.probabilities_MC.argmax(axis=1), dtype=np.int64)

    @cached_property
    def held_out(self) -> HeldOut:
        """Out-of-fold scores.

        Raises:
            DataError: no folds can be made.
        """
        shared = self.comparison
        if self.method == SOURCE_ONLY:
            return shared.source_only
        known_N = shared.source_only.predicted_N
        return held_out(self.method, self.domains, known_N, shared.folds_N)

    @cached_property
    def density_ratio_N(self) -> Float:
        """As that of the comparison, but of the aligned features: those that the learner compares."""
        return self.comparison.density_ratio(self.held_out.aligned)


def held_out(
    method: Method,
    domains: Domains,
    known_N: Codes,
    folds_N: NDArray[np.integer],
) -> HeldOut:
    """Score every source item by a classifier that has not learned from its label.

    Args:
        method: the method.
        domains: the source and target features.
        known_N: classes of the source items that the alignment may use, of shape (N,).
        folds_N: fold of each source item, of shape (N,), from 0.
    """
    aligned, _ = method.alignment.align(replace(domains, codes_N=known_N))
    source_NC = np.zeros((len(folds_N), domains.n_classes))
    for fold in np.unique(folds_N):
        outside = folds_N != fold
        weight_CR, bias_C = method.learner.learn(
            replace(
                aligned,
                source_ND=aligned.source_ND[outside],
                codes_N=domains.codes_N[outside],
                groups_N=None if domains.groups_N is None else domains.groups_N[outside],
            )
        )
        source_NC[~outside] = aligned.source_ND[~outside] @ weight_CR.T + bias_C
    return HeldOut(source_NC, aligned)
