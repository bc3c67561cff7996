"""Put together what an adaptation found.

Legend: M target items, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.adapt.method_names import AUTO
from headstart.adapting.choosing import Decision
from headstart.adapting.diagnosing import Shift
from headstart.adapting.extracted import ExtractedPair
from headstart.adapting.options import AdaptOptions
from headstart.adapting.sentence import sentence
from headstart.adapting.truth import Truth
from headstart.adapting.trying import Tried
from headstart.adapting.warnings import notes_of, warnings_of
from headstart.metrics import Interval
from headstart.runs.adaptation import AdaptationFacts, ClassRow, MethodRow


def assemble(
    pair: ExtractedPair,
    shift: Shift,
    tried: Sequence[Tried],
    decision: Decision,
    truth: Truth | None,
    options: AdaptOptions,
) -> AdaptationFacts:
    """The whole of an adaptation.

    Args:
        pair: both domains, with features.
        shift: what kind of shift it is.
        tried: every method, source only first.
        decision: the method that is returned.
        truth: what labels of the target say; None without labels.
        options: of the adaptation.
    """
    target, domain = pair.target, pair.domain
    alone = tried[0].answers(target.scored)
    names = (domain.name, target.name)
    facts = AdaptationFacts(
        names=names,
        method=decision.chosen.name,
        reason=decision.reason,
        sentence="",
        chosen_by="auto" if options.method == AUTO else "the user",
        n_source=domain.n_items,
        n_target=len(target.data),
        n_adapted=len(target.adapted),
        n_scored=0 if truth is None else len(truth.positions),
        held_out=options.holdout is not None,
        stages=domain.stage_names,
        in_domain=domain.in_domain,
        methods=tuple(_row(each, decision, truth, alone, target.scored) for each in tried),
        classes=_classes(pair, shift, tried[0], decision.chosen, truth),
        shift=shift.to_json(),
        ceiling=None if truth is None else truth.ceiling,
        metric=pair.task.verdict_metric,
        warnings=warnings_of(pair, shift),
        notes=notes_of(shift),
        to_label=_to_label(pair, decision.chosen),
        from_run=domain.summary is not None,
    )
    return replace(facts, sentence=sentence(facts, None if truth is None else truth.verdict.outcome))


def _row(
    tried: Tried, decision: Decision, truth: Truth | None, alone_M: np.ndarray, scored: np.ndarray
) -> MethodRow:
    agreement = None
    if tried.classifier is not None:
        agreement = float((tried.answers(scored) == alone_M).mean())
    return MethodRow(
        tried.name,
        tried.label,
        dict(decision.scores.get(tried.name, {})),
        tried.seconds,
        None if truth is None else truth.scores.get(tried.name),
        None if truth is None else truth.gains.get(tried.name),
        agreement,
        tried.why,
    )


def _classes(
    pair: ExtractedPair, shift: Shift, alone: Tried, chosen: Tried, truth: Truth | None
) -> tuple[ClassRow, ...]:
    answers = chosen.answers(pair.target.scored)
    before, after = (
        np.zeros(0, dtype=bool) if truth is None else each.answers(truth.positions) == truth.codes
        for each in (alone, chosen)
    )
    shares = pair.plain.domains.source_shares_C
    rows = []
    for code, name in enumerate(pair.classes):
        predicted = float((answers == code).mean())
        row = ClassRow(name, float(shares[code]), _share(shift, code), predicted)
        if truth is not None:
            own = truth.codes == code
            counts = [int(right[own].sum()) for right in (before, after)]
            row = replace(row, n_items=int(own.sum()), before=counts[0], after=counts[1])
        rows.append(row)
    return tuple(rows)


def _share(shift: Shift, code: int) -> Interval | None:
    """The estimated share of a class in the target; None if it is not known, or not believed."""
    found, diagnosis = shift.shares, shift.diagnosis
    if found is None or diagnosis is None or not (diagnosis.certain or diagnosis.has_label_shift):
        return None
    return Interval(float(found.value_C[code]), float(found.low_C[code]), float(found.high_C[code]))


def _to_label(pair: ExtractedPair, chosen: Tried) -> tuple[str, ...]:
    """Names of items without a label to label first, of those that were adapted on."""
    from headstart.adapt.shift import to_label

    target = pair.target
    positions = target.adapted if target.codes is None else target.adapted[target.codes[target.adapted] < 0]
    if not len(positions):
        return ()
    features = chosen.features.target_MD[positions]
    found = to_label(features, chosen.probabilities(positions), seed=pair.domain.seed)
    names = target.data.examples.names[positions]
    return tuple(str(names[position]) for position in found)
