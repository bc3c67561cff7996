"""Write a ranking: metrics.json, ranking.csv and report.html in a run directory of its own kind."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from headstart.clock import Clock, peak_bytes
from headstart.data.in_memory_data import DataInMemory
from headstart.fitting import reported_run
from headstart.fitting.facts import run_facts
from headstart.fitting.shared_options import CARRIED, flags_of
from headstart.ranking.options import RankOptions
from headstart.ranking.result import Ranking, rows
from headstart.runs.ranking import RankingFacts

if TYPE_CHECKING:
    from headstart.data import DataSet
    from headstart.runs import RunDirectory

TABLE = "ranking.csv"


def create(options: RankOptions) -> RunDirectory:
    """Claim the folder of a ranking and write its configuration."""
    return reported_run.create(options, "rank", "ranking")


def finish(
    run: RunDirectory, options: RankOptions, data: DataSet, facts: RankingFacts, clock: Clock
) -> Ranking:
    """Write a ranking and close its folder.

    Args:
        run: the folder, claimed.
        options: of the ranking.
        data: the data set.
        facts: what was found.
        clock: the seconds of the phases.
    """
    from headstart.report.pages.rank import RankReport
    from headstart.runs import DataFacts, Record

    record = Record(
        kind="rank",
        data=DataFacts.of(data, str(options.data)),
        task=data.examples.task.name,
        n_train=facts.n_items,
        n_test=facts.n_held_out,
        seconds=clock.seconds,
        peak_bytes=peak_bytes(),
        extra={"ranking": facts.to_json()},
    )
    shown = RankReport(record, run_facts(run, data, data.findings), facts, next_command(options, facts))
    summary = reported_run.finish(run, shown, TABLE, rows(facts), report=options.report)
    return Ranking(run.path, record.to_json(), summary, facts)


def next_command(options: RankOptions, facts: RankingFacts) -> str:
    """The command that fits the advised source on the same data; "" if no command can name the data."""
    if isinstance(options.data, DataInMemory):
        return ""
    source = facts.advised_source
    words = ["headstart", "fit", str(options.data), "--source", source.uri or source.name]
    if source.arch is not None:
        words += ["--arch", source.arch]
    return shlex.join([*words, *flags_of(options, CARRIED)])
