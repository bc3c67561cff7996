"""skada's shallow methods and its selectors on one case. Imported by `peers` alone: skada changes scikit-learn.

skada reads the features that `auto` reads, at the same stages and of the same items, in two scalings between which its
selectors choose as between hyperparameters: standardised over both domains together, as a StandardScaler does in
`make_da_pipeline`, or within each domain, as it does in `PerDomain`. If there are more features than items, they are
turned into the span of the items first, which keeps every distance and saves most of the time; not for CORAL, whose
shrinkage depends on the axes. The classifier is scikit-learn's logistic regression with the penalty of the case.

A selector sees 30% of the items of both domains, held out by skada's own split, and a pipeline that was fitted on the
others; the accuracy is that of a pipeline fitted on all items, as skada's users do it with `GridSearchCV`.

Legend: N source items, M target items, D features, C classes.
"""

from __future__ import annotations

import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import skada
from skada.metrics import (
    CircularValidation,
    DeepEmbeddedValidation,
    ImportanceWeightedScorer,
    MaNoScorer,
    MixValScorer,
    PredictionEntropyScorer,
    SoftNeighborhoodDensity,
)
from skada.model_selection import StratifiedDomainShuffleSplit
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KernelDensity

from benchmarks.adaptation.measure import Prepared
from benchmarks.adaptation.peers_report import PER_DOMAIN, SOURCE_ONLY

SECONDS = 20.0  # of processor time per method and case; what has finished by then is chosen among
HELD_OUT = 0.3
SOURCE_DOMAIN, TARGET_DOMAIN, NO_LABEL = 1, -2, -1  # skada's own codes
MAX_STEPS = 300  # of the logistic regression
SHARED, EACH = "both domains", "each domain"


@dataclass(frozen=True, eq=False)
class Inputs:
    """A case as skada reads it.

    Attributes:
        prepared: what `auto` starts from.
        balanced: whether classes count alike in the score.
    """

    prepared: Prepared
    balanced: bool

    @cached_property
    def labels(self) -> np.ndarray:
        """Classes of the source items, then -1 for each target item, of shape (N + M,)."""
        domains = self.prepared.domains
        return np.concatenate([domains.codes_N, np.full(len(domains.target_MD), NO_LABEL)]).astype(int)

    @cached_property
    def domain(self) -> np.ndarray:
        """Domain of each item, of shape (N + M,)."""
        return np.where(self.labels == NO_LABEL, TARGET_DOMAIN, SOURCE_DOMAIN)

    @cached_property
    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the items that selection fits on, and of those that it looks at."""
        split = StratifiedDomainShuffleSplit(
            n_splits=1, test_size=HELD_OUT, random_state=self.prepared.domains.seed
        )
        return next(iter(split.split(self.features[SHARED], self.labels, self.domain)))  # type: ignore[no-any-return]

    @cached_property
    def features(self) -> dict[str, np.ndarray]:
        """Standardised features by scaling, each of shape (N + M, D)."""
        sides = self.prepared.domains.source_ND, self.prepared.domains.target_MD
        return {
            SHARED: _standardised(np.concatenate(sides)),
            EACH: np.concatenate([_standardised(side) for side in sides]),
        }

    @cached_property
    def spans(self) -> dict[str, np.ndarray]:
        """The same features in the span of the items, each of shape (N + M, at most N + M)."""
        return {scaling: _in_their_span(x) for scaling, x in self.features.items()}

    def head(self) -> LogisticRegression:
        """The classifier of every method: the penalty is per item, as in `heads.logistic`."""
        domains = self.prepared.domains
        head = LogisticRegression(C=1 / (domains.penalty * len(domains.codes_N)), max_iter=MAX_STEPS)
        return head.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)

    def score(self, predicted_M: np.ndarray) -> float:
        """Accuracy on the target, or balanced accuracy.

        Args:
            predicted_M: codes of shape (M,).
        """
        one_hot_MC = np.eye(self.prepared.domains.n_classes)[predicted_M.astype(int)]
        return self.prepared.score(one_hot_MC, balanced=self.balanced)


@dataclass(frozen=True)
class Peer:
    """A method of skada with the hyperparameters to choose among.

    Attributes:
        name: in tables.
        steps: from the classifier, the number of features and the hyperparameters to the steps of a pipeline.
        grid: hyperparameters, the usual ones first.
        scalings: of the features.
        own_axes: whether the features must stay as they are.
    """

    name: str
    steps: Callable[..., tuple[Any, ...]]
    grid: tuple[dict[str, Any], ...] = ({},)
    scalings: tuple[str, ...] = (SHARED, EACH)
    own_axes: bool = False


def _adapter(make: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    """Steps of an adapter whose hyperparameters do not depend on the number of features."""
    return lambda head, n_features, **values: (make(**values), head)


def _scaled(make: Callable[..., Any], **factors: Callable[[int], float]) -> Callable[..., tuple[Any, ...]]:
    """Steps of an adapter with hyperparameters in units of the number of features: squared distances grow with it."""

    def steps(head: Any, n_features: int, **values: Any) -> tuple[Any, ...]:
        found = {
            name: value * factors[name](n_features) if name in factors else value
            for name, value in values.items()
        }
        return make(**found), head

    return steps


def _jdot(head: Any, n_features: int, alpha: float) -> tuple[Any, ...]:
    return (skada.JDOTClassifier(head, alpha=alpha).set_score_request(sample_weight=True),)


def _density(head: Any, n_features: int, bandwidth: float) -> tuple[Any, ...]:
    return skada.DensityReweightAdapter(KernelDensity(bandwidth=bandwidth * n_features**0.5)), head


def _kliep(head: Any, n_features: int) -> tuple[Any, ...]:
    return skada.KLIEPReweightAdapter(gamma=[1 / n_features, 0.1 / n_features], random_state=0), head


PEERS = (
    Peer(SOURCE_ONLY, lambda head, n_features: (head,), scalings=(SHARED,)),
    Peer(PER_DOMAIN, lambda head, n_features: (head,), scalings=(EACH,)),
    Peer("CORAL", _adapter(skada.CORALAdapter), ({"reg": "auto"}, {"reg": 0.1}), own_axes=True),
    Peer(
        "SubspaceAlignment",
        _adapter(skada.SubspaceAlignmentAdapter),
        tuple({"n_components": n} for n in (20, 50, 10)),
    ),
    Peer("LinearOTMapping", _adapter(skada.LinearOTMappingAdapter), ({"reg": 0.01}, {"reg": 1.0})),
    Peer("OTMapping", _adapter(skada.OTMappingAdapter)),
    Peer(
        "EntropicOTMapping",
        _scaled(skada.EntropicOTMappingAdapter, reg_e=float),
        ({"reg_e": 0.2}, {"reg_e": 0.05}, {"reg_e": 0.5}),
    ),
    Peer(
        "ClassRegularizerOTMapping",
        _scaled(skada.ClassRegularizerOTMappingAdapter, reg_e=float, reg_cl=float),
        tuple({"reg_e": e, "reg_cl": c} for e, c in ((0.2, 0.05), (0.5, 0.05), (0.2, 0.2))),
    ),
    Peer("OTLabelProp", _adapter(skada.OTLabelPropAdapter)),
    Peer("JDOTClassifier", _jdot, ({"alpha": 0.5}, {"alpha": 0.1})),
    Peer("DensityReweight", _density, ({"bandwidth": 1.0}, {"bandwidth": 0.3})),
    Peer("KLIEPReweight", _kliep),
    Peer(
        "KMMReweight",
        _scaled(skada.KMMReweightAdapter, gamma=lambda n_features: 1 / n_features),
        ({"gamma": 1.0}, {"gamma": 0.1}),
    ),
    Peer(
        "TransferComponentAnalysis",
        _adapter(skada.TransferComponentAnalysisAdapter),
        ({"n_components": 50, "mu": 0.1},),
    ),
)


def selectors(seed: int) -> dict[str, Any]:
    """skada's scorers that see no target label; more is better in all of them.

    Args:
        seed: of what they draw.
    """
    return {
        "importance weighted": ImportanceWeightedScorer(),
        "prediction entropy": PredictionEntropyScorer(),
        "soft neighbourhood density": SoftNeighborhoodDensity(),
        "deep embedded validation": DeepEmbeddedValidation(random_state=seed),
        "circular validation": CircularValidation(),
        "MixVal": MixValScorer(random_state=seed),
        "MaNo": MaNoScorer(),
    }


def measure(peer: Peer, inputs: Inputs) -> dict[str, Any]:
    """Return a row for each choice of hyperparameters that finished in time, as JSON can hold them.

    Args:
        peer: the method.
        inputs: the case.
    """
    choices = [{**values, "scaling": scaling} for values in peer.grid for scaling in peer.scalings]
    rows: list[dict[str, Any]] = []
    errors: list[str] = []
    started = time.process_time()
    try:
        with _limit(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for choice in choices:
                try:
                    rows.append({"parameters": choice, **_row(peer, inputs, **choice)})
                except TooSlow:
                    raise
                except Exception as error:  # whatever a peer raises is its result
                    errors.append(f"{choice}: {type(error).__name__}: {error}"[:200])
    except TooSlow:
        errors.append(f"stopped after {SECONDS:.0f} s")
    return {"rows": rows, "of": len(choices), "errors": errors, "seconds": time.process_time() - started}


def _row(peer: Peer, inputs: Inputs, scaling: str, **values: Any) -> dict[str, Any]:
    x = (inputs.features if peer.own_axes else inputs.spans)[scaling]
    n_features = inputs.features[scaling].shape[1]
    target = inputs.domain == TARGET_DOMAIN

    def fitted(positions: np.ndarray | slice) -> Any:
        pipeline = skada.make_da_pipeline(*peer.steps(inputs.head(), n_features, **values))
        labels = inputs.labels[positions].copy()  # skada writes into what it is given
        return pipeline.fit(x[positions], labels, sample_domain=inputs.domain[positions])

    predicted_M = fitted(slice(None)).predict(x[target], sample_domain=inputs.domain[target])
    fit_on, look_at = inputs.parts
    pipeline = fitted(fit_on)
    found: dict[str, float | None] = {}
    for name, scorer in selectors(inputs.prepared.domains.seed).items():
        try:
            value = scorer(
                pipeline, x[look_at], inputs.labels[look_at].copy(), sample_domain=inputs.domain[look_at]
            )
            found[name] = float(f"{value:.6g}") if np.isfinite(value) else None
        except TooSlow:
            raise
        except Exception:  # a selector that cannot read the method chooses nothing
            found[name] = None
    return {"score": inputs.score(predicted_M), "selectors": found}


def _standardised(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    deviation = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def _in_their_span(x: np.ndarray) -> np.ndarray:
    if len(x) >= x.shape[1]:
        return x
    left, sizes, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    kept = sizes > 1e-6 * sizes[0]
    return left[:, kept] * sizes[kept]


class TooSlow(Exception):
    """A method has used its processor time."""


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow once the process has worked for so long; a single call of compiled code is finished first."""

    def stop(number: int, frame: object) -> None:
        raise TooSlow

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
