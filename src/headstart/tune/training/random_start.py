"""The head that plain fine-tuning starts from: small weights of chance on standardised embeddings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.heads.linear import LinearHead


def random_start(fitted: LinearHead, seed: int) -> LinearHead:
    """A head with the scaling of a fitted one and weights of chance, of standard deviation 1 / sqrt(D).

    Args:
        fitted: whose features, scaling and outputs it has.
        seed: of the weights.
    """
    n_outputs, width = fitted.weight.shape
    weight = np.random.default_rng([seed, 2]).normal(0.0, width**-0.5, (n_outputs, width))
    return replace(fitted, weight=weight.astype(np.float32), bias=np.zeros_like(fitted.bias))
