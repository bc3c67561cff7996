"""rank: which pretrained source fits the data, and which of its layers, before anything is trained."""

from __future__ import annotations

from typing import Any

from headstart.fitting.signatures import takes
from headstart.ranking.options import RankOptions, rank_options
from headstart.ranking.procedure import run_rank
from headstart.ranking.result import Ranking


@takes(RankOptions)
def rank(**options: Any) -> Ranking:
    """Rank pretrained sources by what a head alone on their features will reach.

    Args:
        data: a folder, a table, an npz file or a hub id; or a pandas DataFrame, a Dataset
            or DatasetDict of `datasets`, or a list of (item, label).
        sources: two or more of `timm:NAME`, `hf:NAME`, a folder, a file, `run:RUN` or `bundled:letters`.
        options: every other option by name, such as arch=["weights=net.py:Net"] (docs/options.md).

    Returns:
        The ranking.

    Raises:
        InputError: anything about the data or the options is wrong, or no source can be ranked.
    """
    return run_rank(rank_options(**options))
