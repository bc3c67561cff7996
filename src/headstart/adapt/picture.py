"""Two domains as points in the plane, before and after adaptation, for a reader's eye; no choice is made from it.

The plane is that of the first two principal axes of the points of both domains together. With the package `umap`
installed it is UMAP's (McInnes et al. 2018, "UMAP: uniform manifold approximation and projection"), which keeps
neighbours together and distorts distances. How well the domains are mixed is measured before anything is projected:

    own = share of points whose nearest neighbour is of their own domain

with equally many points of each: 1/2 if the domains are mixed, 1 if they lie apart (the two-sample statistic of
Henze 1988, "A multivariate two-sample test based on the number of nearest neighbor type coincidences", with one
neighbour).

Legend: N source items, M target items, D features, K drawn points.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from headstart.adapt.domains import Domains, Features, Float

MOST_POINTS = 300  # of each domain
LEAST_POINTS = 3  # of each domain, to draw a picture at all
LEAST_FOR_UMAP = 50  # of both domains: it looks at 15 neighbours of each


@dataclass(frozen=True, eq=False)
class Cloud:
    """Both domains in one space.

    Attributes:
        source_N2: places of source items in the plane, of shape (at most MOST_POINTS, 2).
        target_M2: the same of target items.
        own: share of points whose nearest neighbour is of their own domain.
        explained: share of the variance that the plane shows; None: the plane is not one of axes.
    """

    source_N2: Float
    target_M2: Float
    own: float
    explained: float | None


@dataclass(frozen=True, eq=False)
class Picture:
    """Both domains before and after.

    Attributes:
        projection: "PCA" or "UMAP".
        before: features standardised by the source.
        after: features as the method sees them; None: it does not move them.
    """

    projection: str
    before: Cloud
    after: Cloud | None


def picture(before: Domains, after: Domains | None) -> Picture | None:
    """Draw the same items of both domains in the plane, before and after.

    Args:
        before: both domains, features standardised by the source.
        after: the same items in the space of the method; None: the method does not move the features.

    Returns:
        None if a domain has too few items, or features are not finite.
    """
    rng = np.random.default_rng(before.seed)
    of_source, of_target = (_drawn(len(x), rng) for x in (before.source_ND, before.target_MD))
    if min(len(of_source), len(of_target)) < LEAST_POINTS:
        return None
    with_umap = len(of_source) + len(of_target) >= LEAST_FOR_UMAP and _umap_is_installed()
    clouds = []
    for domains in (before,) if after is None else (before, after):
        source_KD = np.asarray(domains.source_ND[of_source], dtype=np.float64)
        target_KD = np.asarray(domains.target_MD[of_target], dtype=np.float64)
        if not (np.isfinite(source_KD).all() and np.isfinite(target_KD).all()):
            return None
        clouds.append(_cloud(source_KD, target_KD, with_umap, before.seed))
    return Picture("UMAP" if with_umap else "PCA", clouds[0], clouds[1] if after is not None else None)


def own_neighbours(source_KD: Features, target_KD: Features) -> float:
    """Share of points whose nearest neighbour is of their own domain; equally many points of each are compared.

    Args:
        source_KD: of shape (K, D), at least two items in random order.
        target_KD: the same of the target.
    """
    n_each = min(len(source_KD), len(target_KD))
    x = np.concatenate([source_KD[:n_each], target_KD[:n_each]])
    distances = cdist(x, x, "sqeuclidean")
    np.fill_diagonal(distances, np.inf)
    is_target = np.arange(2 * n_each) >= n_each
    return float((is_target[distances.argmin(axis=1)] == is_target).mean())


def _drawn(n_items: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(n_items)[:MOST_POINTS]


def _cloud(source_KD: Float, target_KD: Float, with_umap: bool, seed: int) -> Cloud:
    own = own_neighbours(source_KD, target_KD)
    x = np.concatenate([source_KD, target_KD])
    places, explained = (_umap(x, seed), None) if with_umap else _principal(x)
    return Cloud(places[: len(source_KD)], places[len(source_KD) :], own, explained)


def _principal(x_KD: Float) -> tuple[Float, float]:
    """Places on the first two principal axes, and the share of the variance that they show."""
    centred = x_KD - x_KD.mean(axis=0)
    left, values, right = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(centred), 2))
    n_axes = min(2, len(values))
    # the sign of an axis is arbitrary: the largest weight is made positive, so that machines agree
    signs = np.sign(right[np.arange(n_axes), np.abs(right[:n_axes]).argmax(axis=1)])
    places[:, :n_axes] = left[:, :n_axes] * values[:n_axes] * np.where(signs == 0, 1.0, signs)
    total = float(np.square(values).sum())
    return places, float(np.square(values[:2]).sum() / total) if total else 1.0


def _umap_is_installed() -> bool:
    return importlib.util.find_spec("umap") is not None


def _umap(x_KD: Float, seed: int) -> Float:
    from umap import UMAP

    return np.asarray(UMAP(n_jobs=1, random_state=seed).fit_transform(x_KD), dtype=np.float64)
