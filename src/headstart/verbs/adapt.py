"""adapt: the same task in another domain, without labels there."""

from __future__ import annotations

from typing import Any

from headstart.adapting.options import AdaptOptions, adapt_options
from headstart.adapting.procedure import run_adapt
from headstart.adapting.result import Adaptation
from headstart.fitting.signatures import takes


@takes(AdaptOptions)
def adapt(**options: Any) -> Adaptation:
    """Adapt a classifier from a labelled domain to one without labels.

    Args:
        data: a folder, a table, an npz file or a hub id; its labels are learned from.
        target_data: items of the other domain; None: `from_domain` and `to_domain` name two domains of `data`.
        options: every other option by name, such as source="timm:resnet50.a1_in1k" (docs/options.md).

    Returns:
        The adaptation, a finished run that predicts items of the target.

    Raises:
        InputError: anything about the data, the source or the options is wrong.
    """
    return run_adapt(adapt_options(**options))
