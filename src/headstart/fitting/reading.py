"""Read the labelled data of a verb before the seconds that libraries take, check and split it, print what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headstart.data.labels import require_labels
from headstart.data.read import read_examples
from headstart.fitting.facts import task_words
from headstart.fitting.shared_options import reading
from headstart.progress import say
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.clock import Clock
    from headstart.data import DataSet, Examples


def read_labelled(options: Any, clock: Clock) -> Examples:
    """Read the data; what is wrong with a path, a column or a label is an error. No item is decoded.

    Args:
        options: of a verb that takes RunOptions and CommonOptions.
        clock: takes the phase "data".

    Raises:
        DataError: the data cannot be read, or an item has no label.
    """
    with clock.phase("data"):
        examples = read_examples(options.data, **reading(options))
        require_labels(examples)
    return examples


def data_of(examples: Examples, options: Any, clock: Clock) -> DataSet:
    """Check and split data that was read, from whose training part something can be learned.

    Args:
        examples: the items.
        options: of a verb that takes RunOptions and CommonOptions.
        clock: takes the phase "checks".

    Raises:
        DataError: too many items cannot be read, or nothing can be learned from them.
    """
    from headstart.data import DataSet
    from headstart.fitting.preflight import check_learnable

    data = DataSet.of(examples, seed=options.seed, threads=options.threads, clock=clock)
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
