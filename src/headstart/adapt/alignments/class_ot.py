"""Class-regularised optimal transport: each source item becomes a mean of the target items that its mass goes to.

    G = argmin_G <G, K> + r sum_nm G_nm log G_nm + c sum_cm (sum_(n in c) G_nm + e)^(1/2)
    with rows that sum to the weights of the source items, and columns that share this mass equally
    z_source = sum_m G_nm z_m / sum_m G_nm      (barycentric mapping)
    z_target = (x - mean_target) / deviation_target

K is the squared distance of standardised features (each domain by itself), divided by its median, so that r and c mean
the same for every number of features. The last term is small where a target item gets its mass from one class only.
It is concave, and minimised by rounds of plain regularised transport, with costs K + c W, W its slope at the last plan
(Courty, Flamary, Tuia and Rakotomamonjy 2017, "Optimal transport for domain adaptation", section 4.2 and equation 17).
Each round is `ot.sinkhorn` of POT, started from the last one. POT's own `ot.da.sinkhorn_lpl1_mm` gives the same plan,
but starts anew in each round and needs memory for N x M x C numbers.

Masses here sum to M, one for each target item, so that c does not depend on the number of items. Source items
are weighted to the estimated class shares of the target; an item's weight is at least `LEAST_WEIGHT` of the mean, so
that every item has a place. Of more than `MOST_ITEMS` items of a domain, a part is drawn at random for the plan; other
source items are moved as the nearest drawn one (Ferradans, Papadakis, Peyre and Aujol 2014, section 4).

Every target item must receive the same mass: under strong label shift that is not corrected, this moves items of one
class onto items of another, and harms.

Needs the extra `adapt`. Legend: N source items, M target items, D features, C classes.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.affine import Affine
from headstart.adapt.alignments.alignment import Alignment
from headstart.adapt.alignments.standardise import each_standardised
from headstart.adapt.domains import Codes, Domains, Float
from headstart.errors import OptionError

ENTROPY = 0.1  # r
CLASSES = 0.2  # c
CONCAVITY = 1e-3  # e
ROUNDS, STEPS, TOLERANCE = 5, 60, 1e-6  # of the slope; of Sinkhorn in each; of the columns' mass, relative
LEAST_WEIGHT = 1e-3
MOST_ITEMS = 2_000


def align(domains: Domains) -> tuple[Domains, Affine]:
    """Move every source item to a mean of target items.

    Args:
        domains: the domains as they are.

    Returns:
        The domains in the common space, of shape (N, D) and (M, D), float32, and the map of the target.

    Raises:
        OptionError: the extra is not installed.
    """
    ot = _pot()
    source_ND, target_MD, of_target = each_standardised(domains)
    rows, columns = _drawn(len(source_ND), domains.seed), _drawn(len(target_MD), domains.seed + 1)
    drawn_ND, places_MD = source_ND[rows], target_MD[columns]
    cost_NM = scaled_cost(drawn_ND, places_MD)
    plan_NM = plan(cost_NM, domains.codes_N[rows], domains.weights_N[rows], ot)
    moved_ND = (plan_NM / plan_NM.sum(axis=1, keepdims=True)) @ places_MD
    if len(rows) < len(source_ND):
        nearest_N = _distances(source_ND, drawn_ND).argmin(axis=1)
        nearest_N[rows] = np.arange(len(rows))
        moved_ND = source_ND + (moved_ND - drawn_ND)[nearest_N]
    return domains.with_features(moved_ND.astype("float32"), target_MD.astype("float32")), of_target


def plan(cost_NM: Float, codes_N: Codes, weights_N: Float, ot: ModuleType) -> Float:
    """Return the transport plan G, of shape (N, M), which sums to M.

    Args:
        cost_NM: K.
        codes_N: classes of the source items.
        weights_N: of the source items, not all 0.
        ot: the module of POT.
    """
    n_columns = cost_NM.shape[1]
    mass_N = np.maximum(weights_N, LEAST_WEIGHT * weights_N.mean())
    mass_N = mass_N * (n_columns / mass_N.sum())
    mass_M = np.ones(n_columns)
    classes_NC = np.eye(int(codes_N.max()) + 1)[codes_N]
    slope_CM: Float = np.zeros((classes_NC.shape[1], n_columns))
    # Costs are lowered by what the last round found for rows and columns, which leaves the plan as it is: the next one
    # starts near its end, and exp(-cost / r) does not underflow.
    rows_N1 = cost_NM.min(axis=1, keepdims=True)
    columns_M = (cost_NM - rows_N1).min(axis=0)
    for _ in range(ROUNDS):
        lowered_NM = cost_NM + CLASSES * slope_CM[codes_N] - rows_N1 - columns_M
        plan_NM, log = ot.sinkhorn(
            mass_N,
            mass_M,
            lowered_NM,
            ENTROPY,
            numItermax=STEPS,
            stopThr=TOLERANCE * np.sqrt(n_columns),
            warn=False,
            log=True,
        )
        rows_N1 = rows_N1 + ENTROPY * np.log(log["u"])[:, None]
        columns_M = columns_M + ENTROPY * np.log(log["v"])
        slope_CM = 0.5 * (classes_NC.T @ plan_NM + CONCAVITY) ** -0.5
    return np.asarray(plan_NM)


def scaled_cost(source_ND: Float, target_MD: Float) -> Float:
    """Return squared distances divided by their median, of shape (N, M); 0 if all items are the same."""
    cost_NM = _distances(source_ND, target_MD)
    middle = float(np.median(cost_NM)) or float(cost_NM.mean())
    return cost_NM / middle if middle > 0 else cost_NM


def _distances(source_ND: Float, target_MD: Float) -> Float:
    squares = np.square(source_ND).sum(axis=1)[:, None] + np.square(target_MD).sum(axis=1)
    return np.asarray(np.maximum(squares - 2 * source_ND @ target_MD.T, 0.0))


def _drawn(n_items: int, seed: int) -> NDArray[np.int64]:
    """Return the numbers of the items that the plan is made for, in ascending order."""
    if n_items <= MOST_ITEMS:
        return np.arange(n_items)
    return np.sort(np.random.default_rng(seed).choice(n_items, MOST_ITEMS, replace=False))


def _pot() -> ModuleType:
    try:
        import ot
    except ImportError:
        raise OptionError("the method class-ot needs the extra: pip install 'headstart[adapt]'") from None
    module: ModuleType = ot
    return module


CLASS_OT = Alignment("class-ot", "the source moved by class-regularised optimal transport", align)
