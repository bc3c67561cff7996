"""The deletion test: does the output fall faster if the parts that an explanation names are removed first?

Parts are removed step by step, the most important first, and the output is measured at each step (Samek et al. 2017,
"Evaluating the visualization of what a deep neural network has learned"; Petsiuk et al. 2018, RISE, "deletion"). The
same is done in random orders. The gain of an item is

    mean output over the steps, mean of the random orders  -  mean output over the steps, order of the explanation

Above zero: what the explanation names matters more to the model than as many parts drawn at random. An explanation
without information has a gain of zero in expectation, since its order is one more random order.

Legend: P parts, S steps, R random orders, M variants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.explaining.attribution import Outputs

N_STEPS, N_ORDERS = 10, 5


@dataclass(frozen=True, eq=False)
class Deletion:
    """The outputs of one item while its parts are removed.

    Attributes:
        shares: (S + 1,) share of the parts that are removed, from 0 to 1.
        explained: (S + 1,) output, the most important parts first.
        random: (R, S + 1) output in random orders.
    """

    shares: np.ndarray
    explained: np.ndarray
    random: np.ndarray

    @property
    def mean_explained(self) -> float:
        """Mean output over the steps; both ends are the same in any order, and left out if there are others."""
        return float(self.explained[self._inner].mean())

    @property
    def mean_random(self) -> float:
        """The same, mean of the random orders."""
        return float(self.random[:, self._inner].mean())

    @property
    def _inner(self) -> slice:
        return slice(1, -1) if len(self.shares) > 2 else slice(None)


def delete(outputs: Outputs, attributions: np.ndarray, seed: int = 0) -> Deletion:
    """Remove the parts of an item in the order of its explanation, and in random orders.

    Args:
        outputs: gives the output of variants.
        attributions: of shape (P,), P >= 1.
        seed: of the random orders.
    """
    n_parts = len(attributions)
    generator = np.random.default_rng(seed)
    n_steps = min(N_STEPS, n_parts)
    n_removed = np.round(np.linspace(0, n_parts, n_steps + 1)).astype(int)
    orders = [
        np.argsort(-attributions, kind="stable"),
        *(generator.permutation(n_parts) for _ in range(N_ORDERS)),
    ]
    present = np.ones((len(orders), n_steps + 1, n_parts), bool)
    for row, order in enumerate(orders):
        for step, n_gone in enumerate(n_removed):
            present[row, step, order[:n_gone]] = False
    inner = present[:, 1:-1].reshape(
        -1, n_parts
    )  # the whole item and nothing of it are the same in every order
    found = outputs(np.concatenate([present[0, [0, -1]], inner]))
    curves = np.empty((len(orders), n_steps + 1))
    curves[:, 0], curves[:, -1] = found[0], found[1]
    curves[:, 1:-1] = found[2:].reshape(len(orders), n_steps - 1)
    return Deletion(n_removed / n_parts, curves[0], curves[1:])
