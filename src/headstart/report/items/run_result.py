"""`RunResult`: the first section of a page about a run and new items: the score beside another one, what to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.report.charts import Comparison
from headstart.report.shell import Notice, ScoreCard, VerdictWords

TEMPLATE = "items/run_result.html.j2"


@dataclass(frozen=True)
class RunResult:
    """What the first section shows.

    Attributes:
        did: what headstart did with the run, such as "evaluated".
        run: the run.
        by: the word between run and data, such as "on".
        data: name of the data.
        on: which items the score is of.
        headline: the leading score; None if it is not defined.
        title: of the comparison.
        comparison: the score beside another one.
        verdict: what the comparison says; None for nothing.
        cards: the other scores.
        next_command: to run next; "" for none.
        notices: what to know before trusting the numbers.
    """

    did: str
    run: str
    by: str
    data: str
    on: str
    headline: ScoreCard | None
    title: str
    comparison: Comparison
    verdict: VerdictWords | None
    cards: Sequence[ScoreCard]
    next_command: str
    notices: Sequence[Notice]
