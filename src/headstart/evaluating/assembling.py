"""Put together what an evaluation found: both scores, their change, and what to know before trusting it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from headstart.data.findings import listed
from headstart.evaluating.options import EvaluateOptions
from headstart.evaluating.own import OwnScore
from headstart.evaluating.scoring import Scored, changes, not_compared, outcome_of
from headstart.evaluating.sentence import sentence
from headstart.files import name_of
from headstart.fitting.labelled_items import LabelledItems, alike_names
from headstart.metrics import Interval, metric_named
from headstart.report.words import interval, lowered, number
from headstart.runs.evaluation import EvaluationFacts
from headstart.units import UNITS, agreeing, counted

if TYPE_CHECKING:
    from headstart.runs import Record

_N_SHOWN = 6  # unknown classes in a warning


def assemble(options: EvaluateOptions, of: OwnScore, items: LabelledItems, scored: Scored) -> EvaluationFacts:
    """What was found.

    Scores are compared only of items that have nothing in common, as far as that is known.

    Args:
        options: of the evaluation.
        of: the run.
        items: that were scored.
        scored: what the run gives for them.
    """
    record, metric = of.record, scored.targets.task.verdict_metric
    own, n_own = record.test or {}, record.n_test or 0
    change, skipped = {}, not_compared(scored, of.labels)
    alike = alike_names(
        scored.unknown, [name for name in scored.targets.classes if name not in scored.unknown]
    )
    if items.n_learned is not None and not items.n_shared and not alike and not options.windows:
        change = changes(scored.scores, own, len(items), n_own, skipped)
    outcome = outcome_of(metric, change.get(metric))
    known = scored.of_known(metric)
    return EvaluationFacts(
        run=str(options.run),
        metric=metric,
        sentence=sentence(
            name_of(str(options.data)),
            metric,
            scored.scores[metric],
            own.get(metric),
            change.get(metric),
            outcome,
        ),
        own={name: Interval.of(own[name]) for name in scored.scores if name in own and name not in skipped},
        n_own=n_own,
        change=change,
        outcome=outcome,
        n_learned=items.n_learned,
        n_shared=items.n_shared,
        unknown=scored.unknown,
        n_known=int(scored.has_known_label.sum()),
        known=known,
        warnings=(
            *([f"{alike}. The scores are not compared."] if alike else []),
            *_warnings(items, scored, metric, known),
        ),
        notes=tuple(_notes(options, record)),
    )


def _warnings(items: LabelledItems, scored: Scored, metric: str, known: Interval | None) -> Iterator[str]:
    units, n_learned = UNITS[items.data.examples.modality], items.n_learned
    if scored.unknown:
        yield _unknown(scored, metric, known, units)
    if n_learned is None:
        yield (
            "Whether the run has learned from some of these items is not known: it was made before runs kept that. A "
            "score on items that it has learned from is too good, so the scores are not compared."
        )
    if n_learned:
        yield (
            f"{counted(n_learned, units)} {agreeing(n_learned, 'is', 'are')} left out: the run has learned from "
            f"{agreeing(n_learned, 'it', 'them')}."
        )
    if items.n_shared:
        yield (
            f"{items.n_shared:,} of {counted(len(items), units)} {agreeing(items.n_shared, 'is', 'are')} among those "
            "that the run was scored on, or adapted to, before: the scores are not compared."
        )


def _unknown(scored: Scored, metric: str, known: Interval | None, units: str) -> str:
    """The classes that the run cannot give, and the score without their items."""
    counts: Mapping[str, int] = scored.unknown
    n_items, it = int((~scored.has_known_label).sum()), agreeing(len(counts), "it", "them")
    named = listed((f"'{name}' ({n:,})" for name, n in counts.items()), _N_SHOWN)
    words = scored.targets.task.words.outputs
    text = f"The run does not know {counted(len(counts), words)} of the data: {named}. "
    if scored.targets.task.many_per_item:
        return f"{text}It cannot give {it}, and {it} {agreeing(len(counts), 'is', 'are')} not scored."
    text += f"It gives {it} probability 0, so {counted(n_items, units)} cannot be right."
    if known is None or known.value is None:
        return text
    ends = interval(known, metric)
    return (
        f"{text} On the other {int(scored.has_known_label.sum()):,} alone: {lowered(metric_named(metric).label)} "
        f"{number(known.value, metric)}{f' ({ends})' if ends else ''}."
    )


def _notes(options: EvaluateOptions, record: Record) -> Iterator[str]:
    if "refit" in record.extra:
        yield (
            "After its own score was measured, the run was learned again from every label; it is that model which is "
            "scored here."
        )
    if record.n_folds and not record.scores_are_of_run:
        yield "The run's own score is that of the whole procedure: some folds returned another kind of result."
    if options.windows:
        yield (
            "Each recording is the mean of its windows, and the run's own score is of the first window of each: the "
            "scores are not compared."
        )
