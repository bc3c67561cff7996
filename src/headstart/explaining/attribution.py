"""How much each part of an item adds to an output: kernel SHAP.

The output is computed for variants of the item with some parts removed; the attributions are the coefficients of the
weighted linear regression on what is present whose solution is the Shapley value of each part (Lundberg and Lee 2017,
"A unified approach to interpreting model predictions", section 4.1; computed by captum). They add up to the output for
the whole item minus that with every part removed. Only outputs are needed, so it works with every run.

Legend: P parts, M variants.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable

import numpy as np

from headstart.errors import OptionError

Outputs = Callable[[np.ndarray], np.ndarray]  # bool (M, P), what is present, to float64 (M,)

MOST_VARIANTS = 512
_PER_PART, _LEAST_VARIANTS = 5, 32
AT_ONCE = 32


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
    return min(MOST_VARIANTS, _LEAST_VARIANTS + _PER_PART * n_parts)


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
    from captum.attr import KernelShap

    if n_parts == 1:  # nothing to regress on
        both = outputs(np.array([[True], [False]]))
        return np.array([both[0] - both[1]])

    def forward(present: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(outputs(present.numpy() > 0.5))

    whole = torch.ones(1, n_parts, dtype=torch.float64)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of captum, on how it calls scikit-learn
        torch.manual_seed(seed)
        found = KernelShap(forward).attribute(
            whole,
            baselines=torch.zeros_like(whole),
            n_samples=n_variants(n_parts),
            perturbations_per_eval=AT_ONCE,
        )
    return np.asarray(found[0].detach().numpy(), np.float64)
