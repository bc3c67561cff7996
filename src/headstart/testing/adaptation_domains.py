"""Small domains: with a shift that is planted, and such that break naive code.

Legend: N source items, M target items, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Domains

SHIFTS = {
    "none": "no shift",
    "shares": "class shares that differ and are known",
    "place": "the target moved between the classes",
    "scale": "features of the target moved and scaled",
    "mixing": "features of the target moved and mixed",
}
N_SOURCE, N_TARGET, WIDTH, N_CLASSES = 180, 150, 6, 3
SCALES, PLACES = (0.3, 2.5, 1.0, 3.0, 0.4, 1.0), (4.0, -4.0, 2.0, 4.0, -1.0, 0.0)
SHARES = (0.6, 0.3, 0.1)


def planted(shift: str, seed: int = 0) -> tuple[Domains, NDArray[np.int64]]:
    """Return domains of three classes, of which the target is changed in a known way, and its classes.

    Args:
        shift: of `SHIFTS`.
        seed: of the items.
    """
    random = np.random.default_rng(seed)
    source_N = np.arange(N_SOURCE) % N_CLASSES
    target_M = np.arange(N_TARGET) % N_CLASSES
    shares = None
    if shift == "shares":
        shares = np.array(SHARES)
        target_M = np.repeat(np.arange(N_CLASSES), (shares * N_TARGET).round().astype(int))
    centres_CD = 3.5 * np.eye(N_CLASSES, WIDTH)
    source_ND = centres_CD[source_N] + random.normal(size=(len(source_N), WIDTH))
    target_MD = centres_CD[target_M] + random.normal(size=(len(target_M), WIDTH))
    if shift == "place":
        target_MD = target_MD + 1.5 * (np.eye(WIDTH)[0] - np.eye(WIDTH)[1])
    elif shift == "scale":
        target_MD = target_MD * np.array(SCALES) + np.array(PLACES)
    elif shift == "mixing":
        # symmetric and positive definite, as linear transport takes a shift to be
        square = random.normal(size=(WIDTH, WIDTH))
        _, vectors = np.linalg.eigh(square + square.T)
        target_MD = target_MD @ (vectors * np.linspace(0.4, 2.5, WIDTH)) @ vectors.T + np.array(PLACES)
    domains = Domains(
        source_ND.astype(np.float32),
        source_N,
        target_MD.astype(np.float32),
        N_CLASSES,
        shares_C=shares,
        seed=seed,
    )
    return domains, target_M


def hard_domains() -> Iterator[tuple[str, Domains]]:
    """Yield what the domains are, and the domains."""
    random = np.random.default_rng(3)
    plain, _ = planted("scale")
    x, t = plain.source_ND, plain.target_MD
    yield "more features than items", _of(random.normal(size=(30, 90)), random.normal(size=(20, 90)))
    yield "few items with many features", _of(random.normal(size=(6, 200)), random.normal(size=(5, 200)))
    yield "features that are 7 in both domains", plain.with_features(_with(x, 7), _with(t, 7))
    yield "features constant in the source", plain.with_features(_with(x, 7), np.hstack([t, t[:, :2]]))
    yield "features constant in the target", plain.with_features(np.hstack([x, x[:, :2]]), _with(t, 7))
    yield "no feature varies", plain.with_features(np.full_like(x, 7), np.full_like(t, 7))
    yield "no feature varies in the source", plain.with_features(np.full_like(x, 7), t)
    yield "no feature varies in the target", plain.with_features(x, np.full_like(t, 7))
    yield "one feature", plain.with_features(x[:, :1], t[:, :1])
    yield "duplicate features", plain.with_features(np.hstack([x, x]), np.hstack([t, t]))
    yield "one item per class", _of(random.normal(size=(7, 5)), t[:, :5], n_classes=7)
    yield "two source items", _of(x[:2], t)
    yield "two target items", plain.with_features(x, t[:2])
    yield "two items in each domain", _of(x[:2], t[:2])
    yield "two equal target items", plain.with_features(x, t[[0, 0]])
    yield "identical domains", plain.with_features(x, x)
    yield "large values", plain.with_features(1e4 * x, 1e4 * t)
    yield "small values", plain.with_features(1e-4 * x, 1e-4 * t)
    yield "a large mean", plain.with_features(x + 1e4, t)
    yield "domains far apart", plain.with_features(x, t + 1e3)
    yield "an item far from all others", plain.with_features(np.vstack([x[:-1], x[-1:] + 1e4]), t)
    yield "float64", plain.with_features(x.astype(np.float64), t.astype(np.float64))
    yield "a class that no source item has", replace(plain, n_classes=4)
    yield "a class without items in the target", replace(plain, shares_C=np.array([0.7, 0.3, 0.0]))
    yield "one class in the target", replace(plain, shares_C=np.array([1.0, 0.0, 0.0]))
    yield "50 classes of which the target has 5", _many()


def _with(x_ND: NDArray[np.float32], value: float) -> NDArray[np.float32]:
    return np.hstack([x_ND, np.full_like(x_ND[:, :2], value)])


def _of(source_ND: NDArray[np.floating], target_MD: NDArray[np.floating], n_classes: int = 2) -> Domains:
    codes = np.arange(len(source_ND)) % n_classes
    return Domains(source_ND.astype(np.float32), codes, target_MD.astype(np.float32), n_classes)


def _many() -> Domains:
    random = np.random.default_rng(4)
    centres = 3 * random.normal(size=(50, 12))
    codes = np.arange(150) % 50
    target = centres[np.arange(40) % 5] + random.normal(size=(40, 12))
    domains = _of(centres[codes] + random.normal(size=(150, 12)), target, n_classes=50)
    return replace(domains, shares_C=np.repeat([0.2, 0.0], [5, 45]))
