"""Which target items to label first, and how many, from predictions and features of the target alone.

Half of the items that the classifier is least certain of are candidates. Of these the first is the least certain one;
each next one is drawn as k-means++ draws its centres (Arthur and Vassilvitskii 2007), with a probability in proportion
to the squared distance to the nearest item that was drawn, times the uncertainty: so the items are spread over the
target, and not many copies of one difficulty. Uncertainty is 1 - (p_first - p_second), the margin (Scheffer et al.
2001).

No gain is stated: it would need labels of the target. Circular validation and every other score without target labels
measure how well predictions fit the source, not what labels would add.

Legend: M target items, D features, C classes, K items to label.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.domains import Float

PER_CLASS = 10  # labels of one class from which a linear head has something to learn
LEAST, MOST = 20, 200


def n_to_label(n_classes: int, n_target: int) -> int:
    """Return how many items to label: `PER_CLASS` per class, `LEAST` to `MOST`, at most half of the target.

    Args:
        n_classes: C.
        n_target: M.
    """
    return max(1, min(max(LEAST, min(MOST, PER_CLASS * n_classes)), n_target // 2))


def to_label(
    target_MD: NDArray[np.floating],
    probabilities_MC: Float,
    n_items: int | None = None,
    seed: int = 0,
) -> tuple[int, ...]:
    """Return the positions of target items to label, in the order to label them.

    Args:
        target_MD: features of the target items, of shape (M, D), at least one item.
        probabilities_MC: predicted for them, of shape (M, C), C at least 2.
        n_items: K; None: see `n_to_label`.
        seed: of the draws.
    """
    probabilities = np.asarray(probabilities_MC, dtype=np.float64)
    n_target, n_classes = probabilities.shape
    wanted = min(n_to_label(n_classes, n_target) if n_items is None else n_items, n_target)
    top = np.partition(probabilities, n_classes - 2, axis=1)[:, -2:]
    uncertainty = 1 - np.abs(top[:, 1] - top[:, 0])
    order = np.argsort(-uncertainty, kind="stable")
    candidates = order[: max(wanted, n_target // 2)]
    chosen = _spread(np.asarray(target_MD, np.float64)[candidates], uncertainty[candidates], wanted, seed)
    return tuple(int(candidates[i]) for i in chosen)


def _spread(x_MD: Float, weight_M: Float, n_items: int, seed: int) -> list[int]:
    """Positions of weighted items far from each other, the first one first."""
    rng = np.random.default_rng(seed)
    chosen = [0]
    nearest = np.square(x_MD - x_MD[0]).sum(axis=1)
    left = np.ones(len(x_MD), dtype=bool)
    left[0] = False
    while len(chosen) < n_items:
        chance = np.where(left, nearest * np.maximum(weight_M, 1e-6), 0.0)
        if not chance.sum() > 0:  # what is left are copies of chosen items
            chance = left.astype(np.float64)
        new = int(rng.choice(len(x_MD), p=chance / chance.sum()))
        chosen.append(new)
        left[new] = False
        nearest = np.minimum(nearest, np.square(x_MD - x_MD[new]).sum(axis=1))
    return chosen
