"""Read the data of a verb that compares sources or methods on one data set, and print what was found."""

from __future__ import annotations

from typing import Any

from headstart.clock import Clock
from headstart.data import DataSet
from headstart.fitting.facts import task_words
from headstart.fitting.preflight import check_learnable
from headstart.fitting.shared_options import reading
from headstart.progress import say
from headstart.units import counted


def read_data(options: Any, clock: Clock | None = None) -> DataSet:
    """Read, check and split the data, from whose training part something can be learned.

    Args:
        options: of a verb that takes RunOptions and CommonOptions.
        clock: takes the phases "data" and "checks".

    Raises:
        DataError: the data cannot be read, or nothing can be learned from it.
    """
    data = DataSet.read(
        options.data, **reading(options), seed=options.seed, threads=options.threads, clock=clock
    )
    check_learnable(data, options.data, held_out=False)
    return data


def print_data(data: DataSet) -> None:
    """Print how many items there are, how they were split, and what the data checks found.

    Args:
        data: the data set.
    """
    say(f"{counted(len(data), 'items')}, {task_words(data.examples)}. {data.examples.split_origin}")
    for finding in data.findings:
        say(f"{finding.severity}: {finding.message}")
