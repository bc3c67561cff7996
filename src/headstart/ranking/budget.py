"""A ranking within a budget: sources are tried on a sample of the items first, and hopeless ones are dropped.

Of each source the sample is extracted and its head cross-validated. If all sources would fit in the time that is left,
all are ranked on all items. Else those that are clearly worse than the best are dropped, then the last ones, until the
others fit. What was extracted stays in the store: the sample is not computed again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.choose.sampling import stratified_sample
from headstart.errors import OptionError
from headstart.progress import say
from headstart.ranking.heads_ahead import HeadsAhead
from headstart.ranking.items import Items
from headstart.ranking.opening import Candidate
from headstart.ranking.work import Work
from headstart.report.words import duration, number
from headstart.units import counted

SHARE, LEAST, MOST = 0.2, 40, 500  # items of the sample: this share, at least and at most so many
DROPPED = "dropped for the budget"
_FOR_EXTRACTION = 0.8  # of the time left; the rest is for heads and baselines


def affordable(
    candidates: Sequence[Candidate], items: Items, failed: dict[str, str], ends: float
) -> list[Candidate]:
    """Return the sources that are worth their time, and can be ranked until a moment.

    Args:
        candidates: the sources.
        items: all items.
        failed: takes the sources that are dropped.
        ends: when the budget is spent, of `time.perf_counter`.

    Raises:
        OptionError: the budget is too small for one source.
    """
    n_sample = int(np.clip(SHARE * len(items.positions), LEAST, MOST))
    if 2 * n_sample > len(items.positions):
        say(
            f"note: {counted(len(items.positions), 'training items')} are too few for a sample: --budget has no effect"
        )
        return list(candidates)
    strata = np.asarray(items.data.strata)[items.positions]
    chosen = items.positions[stratified_sample(strata, n_sample, items.seed)]
    trial = Work(replace(items, positions=chosen, only_these=True), failed)
    seconds: dict[int, float] = {}
    for candidate in candidates:
        started = time.perf_counter()
        if seconds and started > ends:
            failed[candidate.entry.name] = "not tried: the budget was spent on the sources before it"
            continue
        trial.extract([candidate])
        if trial.stopped:
            raise KeyboardInterrupt
        seconds[id(candidate)] = (time.perf_counter() - started) / n_sample * (len(items.data) - n_sample)
    candidates = [candidate for candidate in candidates if candidate.entry.name not in failed]
    if not candidates:
        return []
    costs = [seconds[id(candidate)] for candidate in candidates]
    left = ends - time.perf_counter()
    if min(costs) > _FOR_EXTRACTION * left:
        raise OptionError(_too_small(min(costs), left, len(items.data)))
    left *= _FOR_EXTRACTION
    if sum(costs) <= left:
        return list(candidates)
    return _best(trial, seconds, failed, left)


def _best(trial: Work, seconds: dict[int, float], failed: dict[str, str], left: float) -> list[Candidate]:
    """The sources by their place on the sample, as many as fit in the time left."""
    with HeadsAhead(trial.items, scored=False) as heads:
        trial.choose(heads)
    first = trial.measured[0].choice
    task = trial.items.data.examples.task
    found = trial.items.place(np.stack([each.quality for each in trial.measured], axis=1), first)
    kept: list[Candidate] = []
    best = float(trial.measured[found.order[0]].quality.mean())
    for index in found.order:
        measured = trial.measured[index]
        candidate = measured.candidate
        is_worse = bool(kept) and bool(found.better[found.order[0], index])
        if seconds[id(candidate)] <= left and not is_worse:
            kept.append(candidate)
            left -= seconds[id(candidate)]
        else:
            own = number(float(measured.quality.mean()), task.quality)
            why = "clearly worse" if is_worse else "no time left"
            failed[candidate.entry.name] = (
                f"{DROPPED}, {why}: {own} on a sample of {counted(len(first.positions), 'items')}, "
                f"the best {number(best, task.quality)}"
            )
            say(f"{candidate.entry.name} is {failed[candidate.entry.name]}")
    return kept


def _too_small(cost: float, left: float, n_items: int) -> str:
    if left <= 0:
        return (
            "the budget was spent before a source could be tried: reading the data, opening the sources and their "
            f"samples took it. Give at least {duration(np.ceil(1 + cost / _FOR_EXTRACTION - left))} more with --budget"
        )
    missing = duration(np.ceil(1 + cost / _FOR_EXTRACTION - left))
    return (
        f"the budget is too small for one source: the fastest takes about {duration(cost)} for "
        f"{counted(n_items, 'items')}. Give at least {missing} more with --budget, or make the data smaller"
    )
