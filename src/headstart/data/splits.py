"""Splits and folds: stratified by class, groups kept together, the same for the same seed.

Legend: N items. Groups go through scikit-learn's StratifiedGroupKFold, single items through StratifiedKFold.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from headstart.data.examples import Examples
from headstart.errors import DataError

_MANY_GROUPS = 1_000


def with_splits(
    examples: Examples, *, seed: int = 0, held_out: float = 0.2, keys: np.ndarray | None = None
) -> Examples:
    """Keep a given split; else hold a share out as "test", stratified, groups and equal items kept together.

    Items without a label count as a class of their own.

    Args:
        examples: N items.
        seed: of the draw.
        held_out: share of the items to hold out, between 0 and 1.
        keys: (N,) content of each item (`NearCopies.joined`): equal ones go to the same side.

    Raises:
        DataError: no split can keep groups together and classes on both sides.
    """
    if examples.splits is not None:
        return examples
    strata = np.zeros(len(examples), np.int64) if examples.strata is None else examples.strata
    _, test = holdout_indices(strata, bound_groups(examples.groups, keys), held_out, seed)
    splits = np.full(len(examples), "train", dtype=object)
    splits[test] = "test"
    by = f", by {examples.group or 'group'}" if examples.groups is not None else ""
    drawn = f"{len(test):,} of {len(examples):,} items are held out"
    given = examples.split_origin  # that the given split has a train part only
    stratified = "" if examples.labels is None else ", stratified"
    origin = f"{given} So {drawn} of it" if given else f"No split was given: {drawn}"
    return replace(examples, splits=splits, split_origin=f"{origin}{stratified}{by}, seed {seed}.")


def fold_indices(
    labels: np.ndarray, groups: np.ndarray | None, n_folds: int = 5, seed: int = 0
) -> np.ndarray:
    """The fold of each item: stratified by class, each group in one fold.

    Args:
        labels: (N,) any values.
        groups: (N,) any values, or None.
        n_folds: folds wanted; fewer if even the largest class has fewer items or groups, never under 2. A
            class with fewer is missing from some folds.
        seed: of the shuffle.

    Returns:
        (N,) int64 fold numbers from 0.

    Raises:
        DataError: fewer than 2 items or groups, or each class lies in one group only.
    """
    codes, group_codes, n_units = require_folds(labels, groups)
    n_total = len(codes) if group_codes is None else int(group_codes.max()) + 1
    n_used = max(2, min(n_folds, int(n_units.max()), n_total))
    return _assign(codes, group_codes, n_used, seed)


def require_folds(
    labels: np.ndarray, groups: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Number classes and groups, and refuse items of which no folds can be made.

    Args:
        labels: (N,) any values.
        groups: (N,) any values, or None.

    Returns:
        (N,) class numbers, (N,) group numbers or None, and the number of items, or of groups, that hold each class.

    Raises:
        DataError: see `fold_indices`.
    """
    codes = np.unique(np.asarray(labels), return_inverse=True)[1]
    group_codes = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    n_units = _units_per_class(codes, group_codes)
    _require_groups(n_units, group_codes)
    return codes, group_codes, n_units


def bound_groups(groups: np.ndarray | None, keys: np.ndarray | None) -> np.ndarray | None:
    """Groups joined where they share an item, so that equal items never lie on two sides of a split.

    Args:
        groups: (N,) any values, or None.
        keys: (N,) content of each item, "" where unknown; None: nothing is joined.

    Returns:
        (N,) int64 numbers of the joined groups; the groups as given (or None) if no two items are equal.
    """
    if keys is None:
        return groups
    codes, counts = np.unique(keys.astype(str), return_inverse=True, return_counts=True)[1:]
    if not ((counts[codes] > 1) & (keys != "")).any():
        return groups
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_items = len(keys)
    codes = np.where(keys == "", len(counts) + np.arange(n_items), codes)
    owners = np.arange(n_items) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    n_owners = int(owners.max()) + 1
    n_nodes = n_owners + int(codes.max()) + 1
    links = coo_array((np.ones(n_items), (owners, n_owners + codes)), shape=(n_nodes, n_nodes))
    return np.asarray(connected_components(links, directed=False)[1][owners], dtype=np.int64)


def _assign(codes: np.ndarray, groups: np.ndarray | None, n_folds: int, seed: int) -> np.ndarray:
    """(N,) fold of each item."""
    if groups is not None and int(groups.max()) + 1 > _MANY_GROUPS:
        return _assign_many(codes, groups, n_folds, seed)
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    n_folds = min(n_folds, int(np.bincount(codes).max()))  # scikit-learn requires this
    single = groups is None or int(groups.max()) + 1 == len(groups)
    splitter = (StratifiedKFold if single else StratifiedGroupKFold)(n_folds, shuffle=True, random_state=seed)
    folds = np.zeros(len(codes), dtype=np.int64)
    with warnings.catch_warnings():
        # a class with fewer items than folds is reported by the data checks, with a remedy
        warnings.simplefilter("ignore", UserWarning)
        order = np.zeros(len(codes))
        for number, (_, inside) in enumerate(splitter.split(order, codes, None if single else groups)):
            folds[inside] = number
    # large groups can leave a fold empty
    return np.unique(folds, return_inverse=True)[1].astype(np.int64)


def _assign_many(codes: np.ndarray, groups: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """(N,) fold of each item, for more groups than StratifiedGroupKFold can handle, which loops over them.

    Groups go to the folds in turn, groups of one class and similar size one after the other.
    """
    n_groups = int(groups.max()) + 1
    sizes = np.bincount(groups, minlength=n_groups)
    first = np.unique(groups, return_index=True)[1]
    order = np.lexsort((np.random.default_rng(seed).random(n_groups), -sizes, codes[first]))
    folds = np.empty(n_groups, dtype=np.int64)
    folds[order] = np.arange(n_groups) % n_folds
    return np.asarray(folds[groups])


def _units_per_class(codes: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """(C,) number of items, or of groups, that hold each class."""
    if groups is None:
        return np.bincount(codes)
    pairs = np.unique(np.stack([codes, groups]), axis=1)
    return np.bincount(pairs[0])


def _require_groups(n_units: np.ndarray, groups: np.ndarray | None) -> None:
    if groups is None:
        if n_units.sum() < 2:
            raise DataError("a split needs at least 2 items.")
        if n_units.max() < 2:
            raise DataError(
                "every class has one item only: nothing can be held out. Give at least 2 items per class."
            )
        return
    if int(groups.max()) < 1:
        raise DataError(
            "all items belong together (one group, or copies of one item), so nothing can be held out. Give items "
            "that differ, another --group, or none."
        )
    if n_units.max() < 2:
        raise DataError(
            "each class lies in one group only (or is copies of one item), so a held-out group would hold a class "
            "never seen in training. "
            "Give a --group that crosses the classes (a sentence or session for a speaker target), or none."
        )


def holdout_indices(
    labels: np.ndarray, groups: np.ndarray | None, share: float = 0.15, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Positions to learn from and positions to hold out.

    Args:
        labels: (N,) any values.
        groups: (N,) any values, or None.
        share: of the items to hold out, in (0, 1).
        seed: of the draw.

    Returns:
        (train, held out), sorted int64 positions. Without groups each class with two items or more is on both
        sides.

    Raises:
        DataError: nothing can be held out (see `fold_indices`).
    """
    codes, group_codes, _ = require_folds(labels, groups)
    if group_codes is None:
        held = _stratified_draw(codes, share, np.random.default_rng(seed))
    else:
        held = _grouped_draw(codes, group_codes, share, seed)
    return np.flatnonzero(~held), np.flatnonzero(held)


def _stratified_draw(codes: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """(N,) bool: held out, the share of each class rounded so that the total is right."""
    counts = np.bincount(codes)
    exact = counts * share
    wanted = np.floor(exact).astype(int)
    extra = round(float(counts.sum() * share)) - int(wanted.sum())
    wanted[np.argsort(-(exact - wanted), kind="stable")[: max(0, extra)]] += 1
    wanted = np.clip(wanted, np.minimum(counts - 1, 1), np.maximum(counts - 1, 0))
    held = np.zeros(len(codes), dtype=bool)
    for code, number in enumerate(wanted):
        held[generator.permutation(np.flatnonzero(codes == code))[:number]] = True
    return held


def _grouped_draw(codes: np.ndarray, groups: np.ndarray, share: float, seed: int) -> np.ndarray:
    """(N,) bool: held out, the fold whose removal keeps most classes in train, then nearest to the share."""
    n_folds = max(2, min(round(1 / share), int(groups.max()) + 1))
    folds = _assign(codes, groups, n_folds, seed)
    n_classes = int(codes.max()) + 1

    def loss(fold: int) -> tuple[int, int, float]:
        inside = folds == fold
        lost = n_classes - len(np.unique(codes[~inside]))
        unseen = n_classes - len(np.unique(codes[inside]))
        return lost, unseen, abs(float(inside.mean()) - share)

    return np.asarray(folds == min(range(int(folds.max()) + 1), key=loss))
