"""Which method is returned: the one that was asked for, or the choice without labels of the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headstart.adapt import auto
from headstart.adapt.method_names import AUTO
from headstart.adapt.selectors import CIRCULAR, SELECTORS, Comparison
from headstart.adapting.diagnosing import Shift
from headstart.adapting.extracted import ExtractedPair
from headstart.adapting.features import features_of, why_no_batch_norm
from headstart.adapting.trying import Tried, try_all
from headstart.clock import Clock
from headstart.errors import InputError
from headstart.runs.adaptation import SOURCE_ONLY

ASKED = tuple(SELECTORS[name] for name in ("circular", "nuclear", "infomax", "class_ami"))


@dataclass(frozen=True, eq=False)
class Decision:
    """The method that is returned.

    Attributes:
        chosen: the method.
        reason: why, in one sentence.
        scores: name of a method to what each selector says of it.
    """

    chosen: Tried
    reason: str
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def choose(pair: ExtractedPair, shift: Shift, method: str, clock: Clock) -> tuple[list[Tried], Decision]:
    """Fit the methods, source only first, and choose one of them.

    Args:
        pair: both domains, with features.
        shift: what kind of shift it is.
        method: its text, or "auto".
        clock: takes the phases "statistics", "features" and "adapt".

    Raises:
        InputError: the method that was asked for cannot be used.
    """
    if method == AUTO:
        return by_rule(pair, shift, clock)
    names = list(dict.fromkeys((SOURCE_ONLY, method)))
    features = features_of(names, pair, clock)
    with clock.phase("adapt"):
        tried = try_all(names, pair, features)
    return tried, _as_asked(tried)


def by_rule(pair: ExtractedPair, shift: Shift, clock: Clock) -> tuple[list[Tried], Decision]:
    """Fit the candidates for this kind of shift, and choose among them and source only.

    Args:
        pair: both domains, with features.
        shift: what kind of shift it is.
        clock: takes the phases.
    """
    diagnosis = shift.diagnosis
    wanted = auto.candidates(
        None if diagnosis is None else diagnosis.kind,
        unread=diagnosis is not None and diagnosis.unread,
        has_batch_norm=not why_no_batch_norm(pair),
        n_target=len(pair.target.adapted),
        shares_C=pair.plain.domains.source_shares_C,
    )
    names = [SOURCE_ONLY, *wanted.names]
    features = features_of(names, pair, clock)
    with clock.phase("adapt"):
        tried = try_all(names, pair, features)
        fitted = [each for each in tried if each.classifier is not None]
        scores = _scores(fitted)
    found = auto.choose([each.name for each in fitted], [scores[each.name][CIRCULAR.name] for each in fitted])
    reason = f"Source only is kept: {wanted.why}." if wanted.why else found.reason
    return tried, Decision(fitted[found.index], reason, scores)


def _scores(fitted: Sequence[Tried]) -> dict[str, dict[str, float]]:
    """What each selector says of each method."""
    comparisons = {id(each.features): Comparison(each.features.domains) for each in fitted}
    found = {}
    for each in fitted:
        candidate = comparisons[id(each.features)].candidate(each.method, each.classifier)
        found[each.name] = {selector.name: selector.score(candidate) for selector in ASKED}
    return found


def _as_asked(tried: Sequence[Tried]) -> Decision:
    chosen = tried[-1]
    if chosen.classifier is None:
        raise InputError(f"--method {chosen.name}: {chosen.why}")
    words = "Source only was asked for." if chosen.name == SOURCE_ONLY else f"{chosen.name} was asked for."
    return Decision(chosen, words)
