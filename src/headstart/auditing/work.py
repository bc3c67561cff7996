"""The work of an audit: every method on every draw; what is done is kept, and several draws are worked on at once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

from headstart.auditing.cells import Cell, Cells
from headstart.auditing.draws import Draws
from headstart.auditing.measuring import Learner, Method
from headstart.heads.threads import parallel_map
from headstart.progress import progress

SMALL = 1_000  # draws of up to this number of items are worked on at once, one thread each

Key = tuple[int, int]  # number of labels, number of the draw from 0


@dataclass(eq=False)
class Measured:
    """A method with its cells.

    Attributes:
        method: the method.
        cells: by number of labels and number of the draw.
        note: why draws are missing; "" if none is.
    """

    method: Method
    cells: dict[Key, Cell] = field(default_factory=dict)
    note: str = ""


def measure_all(learners: Sequence[Learner], draws: Draws, cells: Cells, n_threads: int) -> list[Measured]:
    """Measure every method on every draw.

    Args:
        learners: without the network that is trained from scratch, whose draws depend on the time.
        draws: of the training items.
        cells: that are kept; those found there are not measured again.
        n_threads: draws at once.
    """
    measured = [Measured(learner.method) for learner in learners]
    wanted = [(number, key) for number in range(len(learners)) for key in draws.positions]
    with progress("Learning curves", len(wanted), "draws") as advance:

        def one(what: tuple[int, Key]) -> None:
            number, key = what
            cell = cells.find(number, *key)
            if cell is None:
                found = learners[number].measure(draws.positions[key], draws.seed + key[1])
                cell = cells.keep(number, *key, found)
            measured[number].cells[key] = cell
            advance(1)

        # The largest first, so that no thread waits long for the last one.
        wanted.sort(key=lambda what: -what[1][0])
        together = []
        for what in wanted:
            if learners[what[0]].at_once and what[1][0] <= SMALL:
                together.append(what)
            else:
                one(what)
        # Threads that ignore warnings for a while restore the filters of each other, so they are ignored out here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            parallel_map(one, together, n_threads)
    return measured
