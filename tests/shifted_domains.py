"""Two domains with Gaussian classes: the target moved, with other class shares, or both."""

from __future__ import annotations

import numpy as np

from headstart.adapt import Domains


def shifted(
    n_items: int = 150,
    width: int = 6,
    *,
    shares: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3),
    target_shares: tuple[float, ...] | None = None,
    move: float = 0.0,
    distance: float = 2.0,
    seed: int = 0,
) -> tuple[Domains, np.ndarray]:
    """The domains, and the classes of the target items.

    Args:
        n_items: of each domain.
        width: features.
        shares: of the classes in the source; in the target too, unless `target_shares` says otherwise.
        target_shares: in the target.
        move: of the target, towards the first class.
        distance: of the class means from 0.
        seed: of the draw.
    """
    random = np.random.default_rng(seed)
    means = distance * np.eye(len(shares), width)

    def draw(wanted: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
        codes = random.choice(len(wanted), n_items, p=wanted)
        return (means[codes] + random.normal(size=(n_items, width))).astype(np.float32), codes

    source, codes = draw(shares)
    target, truth = draw(target_shares or shares)
    target[:, 0] += move
    return Domains(source, codes, target, len(shares), seed=seed), truth


def accuracy(learned: tuple[np.ndarray, np.ndarray], features: np.ndarray, codes: np.ndarray) -> float:
    """Share of items that weights and biases classify correctly."""
    weight, bias = learned
    return float(((features @ weight.T + bias).argmax(axis=1) == codes).mean())
