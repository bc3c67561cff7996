"""Put together what an evaluation found: both scores, their change, and what to know before trusting it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.data.findings import listed
from headstart.evaluating.items import ScoredItems
from headstart.evaluating.options import EvaluateOptions
from headstart.evaluating.scoring import Scored, changes, outcome_of
from headstart.evaluating.sentence import sentence
from headstart.metrics import Interval, metric_named
from headstart.report.words import interval, lowered, number
from headstart.runs.evaluation import EvaluationFacts
from headstart.units import UNITS, agreeing, counted

if TYPE_CHECKING:
    from headstart.runs import Record

_N_SHOWN = 6  # unknown classes in a warning


def assemble(options: EvaluateOptions, record: Record, items: ScoredItems, scored: Scored) -> EvaluationFacts:
    """What was found.

    Args:
        options: of the evaluation.
        record: of the run.
        items: that were scored.
        scored: what the run gives for them.
    """
    metric, own = scored.targets.task.verdict_metric, record.test or {}
    n_own = record.n_test or 0
    change = (
        {} if items.n_own else changes(scored.scores, own, len(items), n_own)
    )  # else they are not independent
    outcome = outcome_of(metric, change.get(metric))
    known = scored.of_known(metric)
    return EvaluationFacts(
        run=str(options.run),
        metric=metric,
        sentence=sentence(
            name_of(options), metric, scored.scores[metric], own.get(metric), change.get(metric), outcome
        ),
        own={name: Interval.of(own[name]) for name in scored.scores if name in own},
        n_own=n_own,
        change=change,
        outcome=outcome,
        n_learned=items.n_learned or 0,
        n_own_items=items.n_own,
        unknown=scored.unknown,
        n_known=int(scored.is_known.sum()),
        known=known,
        warnings=tuple(_warnings(items, scored, metric, known)),
        notes=tuple(_notes(options, record, items)),
    )


def name_of(options: EvaluateOptions) -> str:
    """The data as a sentence names it."""
    path = Path(str(options.data))
    return (path if path.name not in ("", "..") else path.resolve()).name or str(options.data)


def _warnings(items: ScoredItems, scored: Scored, metric: str, known: Interval | None) -> Iterator[str]:
    units = UNITS[items.data.examples.modality]
    if scored.unknown:
        yield _unknown(scored, metric, known, units)
    if items.n_learned:
        yield (
            f"{items.n_learned:,} more {agreeing(items.n_learned, 'item is', 'items are')} left out: the run has "
            f"learned from {agreeing(items.n_learned, 'it', 'them')}."
        )
    if items.n_own:
        yield (
            f"{items.n_own:,} of {counted(len(items), units)} {agreeing(items.n_own, 'is', 'are')} among those that "
            "the run's own score was measured on, so the two scores are not compared."
        )


def _unknown(scored: Scored, metric: str, known: Interval | None, units: str) -> str:
    """The classes that the run cannot give, and the score without their items."""
    counts: Mapping[str, int] = scored.unknown
    n_items = int((~scored.is_known).sum())
    named = listed((f"'{name}' ({n:,})" for name, n in counts.items()), _N_SHOWN)
    text = (
        f"The run does not know {counted(len(counts), scored.targets.task.words.outputs)} of the data: {named}. It "
        f"gives {agreeing(len(counts), 'it', 'them')} probability 0, so {counted(n_items, units)} cannot be right."
    )
    if known is None or known.value is None:
        return text
    ends = interval(known, metric)
    return (
        f"{text} On the other {int(scored.is_known.sum()):,} alone: {lowered(metric_named(metric).label)} "
        f"{number(known.value, metric)}{f' ({ends})' if ends else ''}."
    )


def _notes(options: EvaluateOptions, record: Record, items: ScoredItems) -> Iterator[str]:
    if items.n_learned is None:
        yield (
            "Whether the run has learned from some of these items is not known: it was made before runs kept that. "
            "A score on items that it has learned from is too good."
        )
    if "refit" in record.extra:
        yield (
            "After its own score was measured, the run was learned again from every label; it is that model which is "
            "scored here."
        )
    if record.n_folds and not record.scores_are_of_run:
        yield "The run's own score is that of the whole procedure: some folds returned another kind of result."
    if options.windows:
        yield "Each recording is the mean of its windows; the run's own score is of the first window of each."
