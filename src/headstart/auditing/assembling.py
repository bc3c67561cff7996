"""The facts of an audit from what was measured, and the sentence that says them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.auditing.curves import Held, curve, difference, is_without, outcome_of, seeds_of, verdicts
from headstart.auditing.draws import Draws
from headstart.auditing.fitted import with_fit
from headstart.auditing.savings import saved
from headstart.auditing.sentence import sentence
from headstart.auditing.warnings import warnings
from headstart.auditing.work import Measured
from headstart.errors import DataError
from headstart.metrics import Interval
from headstart.runs.audit import AuditFacts, Curve, Saved, SeenBySource, SizeVerdict

if TYPE_CHECKING:
    from headstart.fitting.plan import Plan


def assemble(
    plan: Plan, held: Held, draws: Draws, measured: Sequence[Measured], notes: Sequence[str]
) -> AuditFacts:
    """The facts of an audit.

    Args:
        plan: of the source.
        held: the held-out items.
        draws: of the training items.
        measured: every method with its cells, transfer first.
        notes: what could not be measured.

    Raises:
        DataError: nothing could be learned from any draw.
    """
    data = plan.data
    transfer, others = measured[0], [each for each in measured[1:] if each.method.role == "source"]
    baselines = [each for each in measured[1:] if is_without(each.method.role)]
    sizes = [size for size in draws.sizes if seeds_of(transfer, size)]
    if not sizes:
        raise DataError(f"transfer could not be measured: {next(iter(transfer.cells.values())).why}")
    curves = {
        each.method.name: with_fit(curve(each, sizes, held), each, held)
        for each in (transfer, *others, *baselines)
    }
    found = verdicts(transfer, baselines, curves, sizes, held)
    facts = AuditFacts(
        metric=data.examples.task.verdict_metric,
        source=transfer.method.name,
        sentence="",
        curves=[each for each in curves.values() if each.points],
        verdicts=found,
        saved=_savings(transfer, baselines, curves, sizes, held),
        others={each.method.name: _against(transfer, each, sizes, held) for each in others},
        n_seeds=draws.n_seeds,
        n_train=len(data.learnable),
        n_held_out=held.units.n_items,
        n_units=held.units.n_units,
        notes=[*notes, *_same_items(sizes[-1], len(data.learnable))],
        seen=_seen(plan, measured, found[-1], held),
    )
    facts = replace(
        facts, warnings=warnings(facts, draws, measured, grouped=data.examples.groups is not None)
    )
    return replace(facts, sentence=sentence(facts))


def _same_items(n_labels: int, n_train: int) -> list[str]:
    """That with all labels the draws do not differ."""
    if n_labels < n_train:
        return []
    return [
        "With all labels every draw is the same: its interval holds for these training items, not for others that "
        "might have been collected."
    ]


def _savings(
    transfer: Measured,
    baselines: Sequence[Measured],
    curves: Mapping[str, Curve],
    sizes: Sequence[int],
    held: Held,
) -> dict[str, Saved]:
    """What transfer saves against each baseline that learns, by name."""
    ours = curves[transfer.method.name]
    learning = [each for each in baselines if each.method.role != "majority"]
    found = {
        each.method.name: saved(transfer, each, (ours, curves[each.method.name]), sizes, held)
        for each in learning
    }
    return {name: each for name, each in found.items() if each is not None}


def _seen(plan: Plan, measured: Sequence[Measured], final: SizeVerdict, held: Held) -> SeenBySource | None:
    """The held-out items that the source was trained on, and the gain without them; None if it is not known."""
    if plan.overlap is None:
        return None
    left = np.flatnonzero(~plan.overlap.seen)
    n_seen = len(plan.overlap.seen) - len(left)
    against = next((each for each in measured if each.method.name == final.against), None)
    gain = None
    if n_seen and against is not None:
        some = Held(held.units.of_some(left), held.kind, left)
        found = difference(measured[0], against, final.n_labels, some) if len(left) else None
        gain = (
            Interval(None, why="the source has seen every held-out item")
            if found is None
            else found[0].interval
        )
    return SeenBySource(plan.overlap.name, n_seen, gain)


def _against(transfer: Measured, other: Measured, sizes: Sequence[int], held: Held) -> list[SizeVerdict]:
    """The comparison with another source; intervals are not corrected for looking at several."""
    rows = []
    for size in sizes:
        found = difference(transfer, other, size, held)
        if found is not None:
            own, _ = found
            outcome = outcome_of(own, own.p)
            rows.append(SizeVerdict(size, outcome, other.method.name, own.interval, own.p))
    return rows
