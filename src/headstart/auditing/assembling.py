"""The facts of an audit from what was measured, and the sentence that says them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.auditing.curves import Held, curve, difference, is_without, seeds_of, values_of, verdicts
from headstart.auditing.draws import Draws
from headstart.auditing.saved import saved
from headstart.auditing.sentence import sentence
from headstart.auditing.warnings import warnings
from headstart.auditing.work import Measured
from headstart.evidence.learning_curve import LEAST_SIZES, fit_curve
from headstart.evidence.verdict import Outcome
from headstart.metrics import Interval, Units
from headstart.runs.audit import AuditFacts, Curve, Fitted, SeenBySource, SizeVerdict

if TYPE_CHECKING:
    from headstart.fitting.plan import Plan


def assemble(plan: Plan, draws: Draws, measured: Sequence[Measured], notes: Sequence[str]) -> AuditFacts:
    """The facts of an audit.

    Args:
        plan: of the source.
        draws: of the training items.
        measured: every method with its cells, transfer first.
        notes: what could not be measured.
    """
    data = plan.data
    held_out = data.positions("test")
    units = Units.of(None if data.units is None else data.units[held_out], len(held_out))
    held = Held(units, data.examples.task.verdict_metric)
    transfer, others = measured[0], [each for each in measured[1:] if each.method.role == "source"]
    baselines = [each for each in measured[1:] if is_without(each.method.role)]
    curves = {
        each.method.name: _with_fit(curve(each, draws.sizes, held), each, held)
        for each in (transfer, *others, *baselines)
    }
    sizes = [size for size in draws.sizes if seeds_of(transfer, size)]
    found = verdicts(transfer, baselines, curves, sizes, held)
    savings = {
        each.method.name: gained
        for each in baselines
        if each.method.role != "majority"
        and (
            gained := saved(
                transfer, each, (curves[transfer.method.name], curves[each.method.name]), sizes, held
            )
        )
    }
    facts = AuditFacts(
        metric=data.examples.task.verdict_metric,
        source=transfer.method.name,
        sentence="",
        curves=[each for each in curves.values() if each.points],
        verdicts=found,
        saved=savings,
        others={each.method.name: _against(transfer, each, sizes, held) for each in others},
        n_seeds=draws.n_seeds,
        n_train=len(data.learnable),
        n_held_out=len(held_out),
        n_units=units.n_units,
        notes=list(notes),
        seen=_seen(plan, measured, found[-1], held),
    )
    facts = replace(
        facts, warnings=warnings(facts, draws, measured, grouped=data.examples.groups is not None)
    )
    return replace(facts, sentence=sentence(facts))


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
            outcome: Outcome = "undecided"
            if own.p < 0.05:
                outcome = "positive" if own.better else "negative"
            rows.append(SizeVerdict(size, outcome, other.method.name, own.interval, own.p))
    return rows


def _with_fit(found: Curve, measured: Measured, held: Held) -> Curve:
    """A curve with what is fitted to its points."""
    if found.role == "majority" or held.units.too_few or len(found.points) < LEAST_SIZES:
        return found
    sizes = [point.n_labels for point in found.points]
    seeds = [seed for seed in range(100) if all(seed in seeds_of(measured, size) for size in sizes)]
    if not seeds:
        return found
    values = [values_of(measured, size, seeds) for size in sizes]
    means_NS = np.stack([each.mean(axis=0) for each in values], axis=1)
    covariance = held.units.covariance((means_NS - means_NS.mean(axis=0)) / len(means_NS))
    if len(seeds) > 1:
        over = np.array([each.mean(axis=1).var(ddof=1) / len(seeds) for each in values])
        covariance = covariance + np.diag(over)
    is_share = held.kind == "accuracy"
    fitted = fit_curve(
        np.array([point.n_learned for point in found.points]),
        means_NS.mean(axis=0),
        covariance,
        rises=is_share,
        most=1.0 if is_share else 0.0,
    )
    root = np.sqrt if held.kind == "rmse" else np.asarray
    rows = (tuple(root(np.maximum(row, 0)).tolist()) for row in (fitted.value, fitted.low, fitted.high))
    if is_share:
        rows = (tuple(np.clip(row, 0, 1).tolist()) for row in (fitted.value, fitted.low, fitted.high))
    return replace(found, fitted=Fitted(tuple(fitted.places.tolist()), *rows))
