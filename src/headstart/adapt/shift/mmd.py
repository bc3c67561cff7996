"""Maximum mean discrepancy between two domains, with a permutation test.

    MMD^2 = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{ij} k(x_i, y_j)      (unbiased)
    k(a, b) = exp(-gamma |a - b|^2),  gamma = 1 / (2 median^2)

where the median is that of the distances between all items (Gretton et al. 2012, "A kernel two-sample test", lemma 6
and section 8). The test draws the domains of the items anew (section 5.1 there uses the bootstrap; a permutation is
exact). Items of one group are not exchangeable: a group that lies in one domain changes its domain as a whole, a group
that lies in both exchanges its two parts.

Legend: N source items, M target items, D features, P permutations.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float
from headstart.metrics.spread import unit_numbers

MOST_ITEMS = 400  # per domain; the kernel of both has (2 MOST_ITEMS)^2 cells
N_PERMUTATIONS = 499
LEAST_ITEMS = 4  # per domain, below which nothing is tested


@dataclass(frozen=True)
class Discrepancy:
    """The discrepancy of two domains.

    Attributes:
        value: unbiased MMD^2; near 0, also below it, if the domains are alike. None: too few items.
        p_value: share of permutations at least as large; None: too few items or groups.
        n_source, n_target: items that it was computed from.
    """

    value: float | None
    p_value: float | None
    n_source: int
    n_target: int

    def to_json(self) -> dict[str, Any]:
        """The same as a dictionary that JSON can hold."""
        return asdict(self)


def squared_mmd(x_ND: NDArray[np.floating], y_MD: NDArray[np.floating], gamma: float) -> float:
    """Return the unbiased MMD^2.

    Args:
        x_ND: of shape (N, D), at least 2 items.
        y_MD: of shape (M, D), at least 2 items.
        gamma: of the kernel.
    """
    distances = squared_distances(np.concatenate([x_ND, y_MD]))
    inside = np.arange(len(x_ND) + len(y_MD)) < len(x_ND)
    return float(_statistics(np.exp(-gamma * distances), inside[None])[0])


def discrepancy(
    source_ND: NDArray[np.floating],
    target_MD: NDArray[np.floating],
    *,
    groups_N: NDArray[Any] | None = None,
    groups_M: NDArray[Any] | None = None,
    seed: int = 0,
) -> Discrepancy:
    """Measure and test the discrepancy of two domains on at most `MOST_ITEMS` items of each.

    Args:
        source_ND: of shape (N, D), scaled so that distances make sense.
        target_MD: of shape (M, D).
        groups_N: what belongs together in the source, of shape (N,); None: every item is on its own.
        groups_M: the same of the target, of shape (M,).
        seed: of the sample and the permutations.
    """
    rng = np.random.default_rng(seed)
    of_source, of_target = sample(len(source_ND), MOST_ITEMS, rng), sample(len(target_MD), MOST_ITEMS, rng)
    if min(len(of_source), len(of_target)) < LEAST_ITEMS:
        return Discrepancy(None, None, len(of_source), len(of_target))
    x = np.concatenate([source_ND[of_source], target_MD[of_target]])
    inside = np.arange(len(x)) < len(of_source)
    numbers, n_units = joint_units(groups_N, groups_M, of_source, of_target)
    distances = squared_distances(x)
    gamma = 1 / max(2 * float(np.median(distances[np.triu_indices(len(x), 1)])), 1e-30)
    kernel = np.exp(-gamma * distances)
    drawn = np.concatenate([inside[None], _permuted(inside, numbers, n_units, rng)])
    found = _statistics(kernel, drawn)
    value = float(found[0])
    # an equal division gives an equal number but for rounding
    p_value = float((found >= value - 1e-12).mean()) if n_units > 2 else None
    return Discrepancy(value, p_value, len(of_source), len(of_target))


def sample(n_items: int, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the positions of at most so many items, in order.

    Args:
        n_items: of all.
        most: of the sample.
        rng: draws them.
    """
    return np.sort(rng.permutation(n_items)[:most])


def joint_units(
    groups_N: NDArray[Any] | None,
    groups_M: NDArray[Any] | None,
    of_source: NDArray[np.intp],
    of_target: NDArray[np.intp],
) -> tuple[NDArray[np.intp], int]:
    """Return the number of the unit of each sampled item, source first, and how many units there are.

    Args:
        groups_N: groups of the source items; None: every item is on its own.
        groups_M: groups of the target items; equal values in both domains are one group.
        of_source: positions of the sampled source items.
        of_target: positions of the sampled target items.
    """
    n_items = len(of_source) + len(of_target)
    if groups_N is None and groups_M is None:
        return unit_numbers(None, n_items)
    parts = []
    for name, groups, positions in (("source", groups_N, of_source), ("target", groups_M, of_target)):
        alone = np.array([f"item {position} of the {name}" for position in positions], dtype=object)
        parts.append(alone if groups is None else np.asarray(groups)[positions].astype(str).astype(object))
    return unit_numbers(np.concatenate(parts), n_items)


def squared_distances(x_ND: NDArray[np.floating]) -> Float:
    """Return the squared distances of all pairs, of shape (N, N).

    Args:
        x_ND: of shape (N, D).
    """
    x = np.asarray(x_ND, dtype=np.float64)
    x = x - x.mean(axis=0)  # so that rounding does not grow with a large mean
    squares = np.einsum("nd,nd->n", x, x)
    distances = np.maximum(squares[:, None] + squares - 2 * (x @ x.T), 0.0)
    np.fill_diagonal(distances, 0.0)
    return np.asarray(distances)


def _statistics(kernel: Float, inside_PN: NDArray[np.bool_]) -> Float:
    """Return the unbiased MMD^2 of each division of the items, of shape (P,); -inf where a side has under 2 items."""
    off_diagonal = kernel.copy()
    np.fill_diagonal(off_diagonal, 0.0)
    first = inside_PN.astype(np.float64)
    n_first = first.sum(axis=1)
    n_second = len(kernel) - n_first
    products = first @ off_diagonal
    within = np.einsum("pn,pn->p", products, first)
    across = products.sum(axis=1) - within
    other = off_diagonal.sum() - within - 2 * across
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (
            within / (n_first * (n_first - 1))
            + other / (n_second * (n_second - 1))
            - 2 * across / (n_first * n_second)
        )
    return np.where(np.minimum(n_first, n_second) >= 2, found, -np.inf)


def _permuted(
    inside: NDArray[np.bool_], numbers: NDArray[np.intp], n_units: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return permutations of the domains of the items, of shape (P, N + M)."""
    n_inside = np.bincount(numbers, weights=inside, minlength=n_units)
    n_items = np.bincount(numbers, minlength=n_units)
    whole = (n_inside == 0) | (n_inside == n_items)
    units = np.flatnonzero(whole)
    domain = n_inside[units] > 0
    out = np.empty((N_PERMUTATIONS, len(inside)), dtype=bool)
    for row in out:
        new = np.zeros(n_units, dtype=bool)
        new[units] = rng.permutation(domain)
        exchanged = rng.random(n_units) < 0.5
        row[:] = np.where(whole[numbers], new[numbers], inside ^ exchanged[numbers])
    return out
