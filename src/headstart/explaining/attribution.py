"""How much each part of an item adds to an output: a ridge regression on which parts are present.

The output is computed for variants of the item in which each part is present with probability 1/2, and

    attributions = argmin_a  sum_m (f(z_m) - b - z_m a)^2 + |a|^2

is fitted to them (LIME, Ribeiro et al. 2016, with equal weights, as captum computes it). Without the penalty its
expectation is the Banzhaf value of each part: the mean of what it adds over all sets of the other parts (Hammer and
Holzman 1992), which noise changes less than the Shapley value (Wang and Jia 2023, "Data Banzhaf"). Every variant is
followed by its complement, so that each part is present in exactly half of them. Only outputs are needed: it works with
every run.

Legend: P parts, M variants.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.errors import OptionError

if TYPE_CHECKING:
    from torch import Tensor

Outputs = Callable[[np.ndarray], np.ndarray]  # bool (M, P), what is present, to float64 (M,)

AT_ONCE = 32  # variants in a batch
_LEAST_VARIANTS, _PER_PART = 64, 2
_PENALTY = 1.0


def require_captum() -> None:
    """Refuse to begin without captum.

    Raises:
        OptionError: it is not installed.
    """
    if importlib.util.find_spec("captum") is None:
        raise OptionError("headstart explain needs the extra: pip install 'headstart[explain]'")


def n_variants(n_parts: int) -> int:
    """How many variants of an item are computed to explain it.

    Args:
        n_parts: P.
    """
    return _LEAST_VARIANTS + _PER_PART * n_parts


def attributions(outputs: Outputs, n_parts: int, seed: int = 0) -> np.ndarray:
    """What each part adds to an output.

    Args:
        outputs: gives the output of variants.
        n_parts: P, at least 1.
        seed: of the variants that are drawn.

    Returns:
        Of shape (P,), float64.
    """
    import torch
    from captum._utils.models.linear_model import SkLearnRidge
    from captum.attr import LimeBase

    whole = torch.ones(1, n_parts, dtype=torch.bool)
    start = float(outputs(whole.numpy())[0])  # captum fits in float32, which a large quantity would fill

    def forward(present: Tensor) -> Tensor:
        return torch.from_numpy(outputs(present.numpy()) - start)

    def pairs(_: Tensor, **__: Any) -> Iterator[Tensor]:
        generator = np.random.default_rng(seed)
        while True:
            drawn = torch.from_numpy(generator.random((1, n_parts)) < 0.5)
            yield from (drawn, ~drawn)

    lime = LimeBase(
        forward,
        SkLearnRidge(alpha=_PENALTY),
        similarity_func=lambda *_, **__: torch.ones(1),
        perturb_func=pairs,
        perturb_interpretable_space=True,
        from_interp_rep_transform=lambda drawn, _, **__: drawn,
        to_interp_rep_transform=None,
    )
    found = lime.attribute(whole, n_samples=n_variants(n_parts), perturbations_per_eval=AT_ONCE)
    return np.asarray(found.reshape(-1).numpy(), np.float64)
