"""Both domains after extraction: their features, and the head of the source domain. Every method starts from it.

Legend: N source items, M target items, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headstart.adapt import Domains, LinearClassifier
from headstart.adapting.pair import Target
from headstart.adapting.source_domain import SourceDomain
from headstart.clock import Clock

if TYPE_CHECKING:
    from headstart.sources import Source
    from headstart.tasks import Task


@dataclass(frozen=True, eq=False)
class PairFeatures:
    """Features of both domains by one network, or by two that differ in their batch-norm statistics.

    Attributes:
        source: the network that the target's items are read with: it predicts in the end.
        domains: features of the source items, and of the target items that are adapted on.
        target_MD: features of all target items.
    """

    source: Source
    domains: Domains
    target_MD: np.ndarray

    @classmethod
    def of(
        cls,
        domain: SourceDomain,
        target: Target,
        source: Source,
        source_ND: np.ndarray,
        target_MD: np.ndarray,
    ) -> PairFeatures:
        """The features of both domains as methods see them.

        Args:
            domain: the source domain.
            target: the target's items.
            source: the network that the target's items were read with.
            source_ND: features of the source items.
            target_MD: features of all target items.
        """
        domains = Domains(
            source_ND,
            domain.codes_N,
            target_MD[target.adapted],
            len(domain.classes),
            domain.penalty,
            groups_N=domain.groups_N,
            seed=domain.seed,
        )
        return cls(source, domains, target_MD)


@dataclass(frozen=True, eq=False)
class ExtractedPair:
    """The source domain, the target's items, and the features of both.

    Attributes:
        domain: the source domain, from a labelled data set or from a run.
        target: the target's items.
        plain: features by the source's own network.
    """

    domain: SourceDomain
    target: Target
    plain: PairFeatures

    @classmethod
    def of(cls, domain: SourceDomain, target: Target, clock: Clock) -> ExtractedPair:
        """Extract the target's features.

        Args:
            domain: the source domain.
            target: the target's items.
            clock: takes the phase "features".
        """
        with clock.phase("features"):
            items, digests = target.data.examples.items, target.data.scan.digests
            target_MD = domain.extract(domain.source, items, digests).stacked(domain.head.stages)
        return cls(
            domain, target, PairFeatures.of(domain, target, domain.source, domain.features_ND, target_MD)
        )

    @property
    def stages(self) -> tuple[int, ...]:
        """Indices of the stages that every method reads."""
        return self.domain.head.stages

    @property
    def classes(self) -> Sequence[str]:
        """Names of the C classes."""
        return self.domain.classes

    @property
    def task(self) -> Task:
        """What is learned."""
        return self.domain.task

    @property
    def source_only(self) -> LinearClassifier:
        """What a fit of the source domain predicts with."""
        folded = self.domain.head.folded()
        assert folded is not None  # heads of classes are linear
        return LinearClassifier(
            folded.weight.numpy().astype(np.float64), folded.bias.numpy().astype(np.float64)
        )
