"""Read the data of a ranking."""

from __future__ import annotations

from headstart.clock import Clock
from headstart.data import DataSet
from headstart.fitting.preflight import check_learnable
from headstart.fitting.shared_options import reading
from headstart.ranking.options import RankOptions


def read_data(options: RankOptions, clock: Clock | None = None) -> DataSet:
    """Read, check and split the data; sources will be compared on its training part.

    Args:
        options: of the ranking.
        clock: takes the phases "data" and "checks".

    Raises:
        DataError: the data cannot be read, or nothing can be learned from it.
    """
    data = DataSet.read(
        options.data, **reading(options), seed=options.seed, threads=options.threads, clock=clock
    )
    check_learnable(data, options.data, held_out=False)
    return data
