"""The source's own training data in a fit: which held-out items it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart import processes
from headstart.clock import Clock
from headstart.data.place import Place
from headstart.data.read import require_place
from headstart.errors import DataError
from headstart.fitting.options import FitOptions

if TYPE_CHECKING:
    from headstart.data import DataSet
    from headstart.data.source_overlap import SourceOverlap


def check_source_data(source_data: str | Path | None) -> None:
    """Refuse a wrong path before anything is read.

    Args:
        source_data: as it was given; None: not given.

    Raises:
        DataError: there is nothing at that path.
    """
    if source_data is not None:
        try:
            require_place(Place(source_data))
        except DataError as error:
            raise DataError(f"--source-data: {error}") from None


def overlap_of(data: DataSet, options: FitOptions, clock: Clock) -> SourceOverlap | None:
    """What the source's own training data holds of the items that will be evaluated; None if it is not given.

    Only the first process of a launcher compares them, since it alone writes the evidence.

    Args:
        data: the data set.
        options: with or without `source_data`.
        clock: takes the phase "source data".

    Raises:
        DataError: the source's data cannot be read, or is of another modality.
    """
    if options.source_data is None or not processes.is_first():
        return None
    from headstart.data.source_overlap import source_overlap

    with clock.phase("source data"):
        return source_overlap(
            data.examples,
            data.scan,
            np.arange(len(data)) if options.folds is not None else data.positions("test"),
            options.source_data,
            threads=options.threads or processes.available_cores(),
            follow_outside=options.follow_outside,
        )
