"""The ranking procedure: what happens in `headstart rank`, in order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headstart import processes
from headstart.clock import IMPORTS, Clock, long_lived
from headstart.errors import InputError, OptionError
from headstart.fitting.facts import shown
from headstart.fitting.preflight import check_setting
from headstart.fitting.procedure import import_packages
from headstart.fitting.reading import data_of, print_data, read_labelled
from headstart.progress import say
from headstart.ranking.entries import Entry, read_entries
from headstart.ranking.options import RankOptions
from headstart.ranking.result import Ranking, RankingStopped
from headstart.units import counted

FEW_UNITS = 10  # below this number a reader is warned

if TYPE_CHECKING:
    from headstart.data import Examples
    from headstart.ranking.classical_ahead import ClassicalAhead
    from headstart.ranking.items import Items
    from headstart.ranking.opening import Candidate
    from headstart.ranking.work import Work
    from headstart.runs.ranking import RankingFacts


def run_rank(options: RankOptions) -> Ranking:
    """Rank sources by checked options.

    Args:
        options: the options.

    Raises:
        InputError: the data cannot be used, or no source can be ranked.
    """
    clock = Clock()
    entries = read_entries(options)
    if processes.count() > 1:
        raise OptionError("a ranking runs in one process: start it without a launcher")
    examples = read_labelled(options, clock)  # what is wrong is reported before the seconds that imports take
    with clock.phase(IMPORTS):
        import_packages()
    return _rank(options, examples, entries, clock)


def _rank(options: RankOptions, examples: Examples, entries: Sequence[Entry], clock: Clock) -> Ranking:
    from headstart.features import Store
    from headstart.ranking.classical_ahead import ClassicalAhead
    from headstart.ranking.items import Items
    from headstart.ranking.opening import open_all

    setting = check_setting(options, options.out)
    seconds = options.budget_seconds
    ends = None if seconds is None else time.perf_counter() + seconds
    data = data_of(examples, options, clock)
    print_data(data)
    items = Items(
        data,
        data.positions("train"),
        options.seed,
        setting,
        Store(None if options.store is None else Path(options.store)),
    )
    with ClassicalAhead(items) as classical:
        with long_lived(), clock.phase("source"):
            candidates, failed = open_all(entries, data, options)
        for uri, why in failed.items():
            say(f"warning: {uri} is not ranked: {why}")
        return _ranked(candidates, items, classical, failed, options, clock, ends)


def _ranked(
    candidates: Sequence[Candidate],
    items: Items,
    classical: ClassicalAhead,
    failed: dict[str, str],
    options: RankOptions,
    clock: Clock,
    ends: float | None,
) -> Ranking:
    """Compare the sources that were opened, and write the ranking."""
    from headstart.ranking.saving import create, finish

    run = create(options)
    try:
        with long_lived():
            facts, stopped = _compare(candidates, items, classical, failed, options, clock, ends)
        ranking = finish(run, options, items.data, facts, clock)
    except BaseException as error:
        run.discard()
        if not isinstance(error, InputError):
            error.add_note(
                "What was extracted is kept in the feature store: give the same command again to resume."
            )
        raise
    finally:
        run.release()
    if stopped:
        stop = RankingStopped(ranking)
        stop.add_note(f"What was ranked so far is in {shown(run)}. The same command ranks the others too.")
        raise stop
    return ranking


def _compare(
    candidates: Sequence[Candidate],
    items: Items,
    classical: ClassicalAhead,
    failed: dict[str, str],
    options: RankOptions,
    clock: Clock,
    ends: float | None,
) -> tuple[RankingFacts, bool]:
    """Extract, choose heads, and compare; a source that fails is added to `failed`. Whether it was stopped midway."""
    from headstart.ranking import partial
    from headstart.ranking.assembling import Row, assemble
    from headstart.ranking.baselines import baselines
    from headstart.ranking.measuring import merge_equal
    from headstart.ranking.work import Work

    work = Work(items, failed)
    if options.ray is not None:
        with clock.phase("cluster"):
            work.measure_on(options.ray, options, candidates)
    else:
        _measure(work, candidates, clock, ends)
    measured = merge_equal(work.measured)
    rows = [Row.of(each) for each in measured]
    try:
        if not work.stopped:
            with clock.phase("baseline"):
                rows += baselines(measured, items, classical)
    except KeyboardInterrupt:
        work.stopped = True
    facts = assemble(rows, items, failed, _warnings(work, len(measured)))
    if options.partial and not work.stopped:
        try:
            with clock.phase("partial"):
                facts = partial.with_partial(facts, measured, items)
        except KeyboardInterrupt:
            work.stopped = True
    return facts, work.stopped


def _measure(work: Work, candidates: Sequence[Candidate], clock: Clock, ends: float | None) -> None:
    """Extract the features of sources and choose their heads, on this machine."""
    from headstart.ranking.budget import affordable
    from headstart.ranking.heads_ahead import HeadsAhead

    with HeadsAhead(work.items) as heads:
        with clock.phase("features"):
            if ends is not None:
                candidates = affordable(candidates, work.items, work.failed, ends)
            work.extract(candidates, heads)
        with clock.phase("head"):
            work.choose(heads)
    with clock.phase("head"):
        work.time()


def _warnings(work: Work, n_measured: int) -> list[str]:
    """What a reader must know before trusting the order."""
    from headstart.ranking.budget import DROPPED

    found, n_units = [], work.items.n_units
    if work.stopped:
        found.append("The ranking was stopped before it was complete; sources or baselines are missing.")
    if any(why.startswith(DROPPED) for why in work.failed.values()):
        found.append(
            "Sources were dropped on a sample of the same items, so what is predicted for the others is a little high."
        )
    if n_units < FEW_UNITS:
        found.append(
            f"Everything rests on {counted(n_units, 'independent units')} of the training part (groups, or items "
            "without their copies): few sources can be told apart."
        )
    if n_measured == 1 and not work.stopped:
        found.append("Only one source could be ranked: it is compared with the baselines alone.")
    return found
