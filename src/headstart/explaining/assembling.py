"""Put together what explaining found: the deletion test over all items, and what to know before trusting it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from headstart.explaining.attribution import n_variants
from headstart.explaining.deletion import N_ORDERS, N_STEPS
from headstart.explaining.explained import Explained
from headstart.explaining.items import Items
from headstart.explaining.options import ExplainOptions
from headstart.explaining.parts.parts import REMOVED
from headstart.explaining.sentence import sentence
from headstart.metrics import Interval
from headstart.metrics.differences import loss_difference
from headstart.runs.explanation import DeletionFacts, ExplanationFacts, Outcome
from headstart.tasks import task_named
from headstart.units import UNITS, agreeing, counted


def assemble(
    options: ExplainOptions, items: Items, explained: Sequence[Explained], digests: np.ndarray, task: str
) -> ExplanationFacts:
    """What was found.

    Args:
        options: of the explanation.
        items: that were read.
        explained: N >= 1 items.
        digests: (N,) of their content.
        task: name of what the run learned.
    """
    deletion = deletion_facts(explained, digests)
    modality = items.examples.modality
    has_classes = task_named(task).has_classes
    return ExplanationFacts(
        run=str(options.run),
        sentence=sentence(
            deletion, counted(len(explained), UNITS[modality]), "probability" if has_classes else "value"
        ),
        output=options.class_name or "",
        n_available=items.n_available,
        deletion=deletion,
        removed=REMOVED[modality],
        n_variants=max(n_variants(each.parts.n_parts) for each in explained),
        warnings=tuple(_warnings(items, explained)),
        notes=tuple(_notes(options, items)),
    )


def deletion_facts(explained: Sequence[Explained], digests: np.ndarray) -> DeletionFacts:
    """The deletion test over all items.

    Args:
        explained: N >= 1 items.
        digests: (N,) of their content: copies count as one.
    """
    random = np.array([each.deletion.mean_random for each in explained])
    named = np.array([each.deletion.mean_explained for each in explained])
    gain = loss_difference(random, named, digests)
    shares = np.linspace(0, 1, N_STEPS + 1)
    curves = [
        [
            np.interp(shares, each.deletion.shares, each.deletion.explained),
            np.interp(shares, each.deletion.shares, each.deletion.random.mean(axis=0)),
        ]
        for each in explained
    ]
    mean = np.mean(curves, axis=0)
    return DeletionFacts(
        gain, outcome_of(gain), shares.tolist(), mean[0].tolist(), mean[1].tolist(), N_ORDERS
    )


def outcome_of(gain: Interval) -> Outcome:
    """What the interval of the gain says.

    Args:
        gain: mean over the items.
    """
    if gain.low is None or gain.high is None:
        return ""
    if gain.low > 0:
        return "informative"
    return "misleading" if gain.high < 0 else "none"


def _warnings(items: Items, explained: Sequence[Explained]) -> Iterator[str]:
    n_empty = len(items) - len(explained)
    if n_empty:
        units = counted(n_empty, UNITS[items.examples.modality])
        yield f"{units} {agreeing(n_empty, 'has', 'have')} no part that could be removed, and no explanation."
    if items.n_cut:
        yield (
            f"{items.n_cut:,} of {counted(len(items), 'recordings')} {agreeing(items.n_cut, 'is', 'are')} longer than "
            f"the window of the run: only the first {items.window_seconds:g} s are explained."
        )


def _notes(options: ExplainOptions, items: Items) -> Iterator[str]:
    if items.n_available > options.most:
        units = counted(items.n_available, UNITS[items.examples.modality])
        yield f"{options.most:,} of {units}, evenly spread; --most NUMBER (in Python most=) explains more."
