"""Which kind of shift lies between two domains: none, covariate, label, or both.

1. Is there a shift at all? MMD with a permutation test, and the proxy A-distance.
2. Do the class shares differ strongly, by the estimates (`class_shares`)?
3. If so: source items are drawn so that their classes have the estimated shares. What then still tells the domains
   apart is not a matter of class shares. Little left: label shift alone, and the estimates can be believed.
4. Much left: the estimates assumed what does not hold. They are believed where estimates before and after alignment
   agree ("both"). Between texts of two languages nothing overlaps: an alignment rests on equal class shares alone, and
   nothing can check them. There a label shift counts as possible ("both", not certain) unless the estimates exclude
   it. Else the shares are unknown, and the shift counts as covariate.

Without target labels covariate and label shift cannot be told apart in general: step 4 is a rule, tried on real pairs
of domains, not a proof.

Source items that were drawn from a summary (`adapt.summary`) differ from real ones even where there is no shift, since
features are not Gaussian. They say nothing about new classes, and a covariate shift from them is assumed, not found.

Legend: N source items, M target items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.alignments.standardise import standardiser
from headstart.adapt.domains import Domains, Float
from headstart.adapt.label_shift import Shares
from headstart.adapt.shift.a_distance import LEAST_ITEMS, a_distance
from headstart.adapt.shift.class_shares import (
    AGREE,
    STRONG,
    ClassShares,
    compare_shares,
    positions_with_shares,
    share_distance,
    total_variation,
)
from headstart.adapt.shift.mmd import Discrepancy, discrepancy
from headstart.adapt.shift.new_classes import MOST_SHIFT, NewClasses, new_classes
from headstart.adapt.shift.texts import Texts
from headstart.metrics.interval import Interval

Kind = Literal["none", "covariate", "label", "both"]
LITTLE_LEFT = 0.6  # of the A-distance: 65% of the items told apart, where 50% is chance
NO_OVERLAP = 1.9  # of its lower end: more than 97% told apart
CLEAR = 0.01  # p-value of the MMD
UNKNOWN = 0.4  # of the upper end of the distance of class shares: they can be almost anything
OWN_WORDS = 0.5  # share of the target's words that the source has, below which texts do not overlap
SMALL = 0.2  # of the lower end of the A-distance: 55% told apart
_DRAWN = "the source items were drawn from a summary, and real ones lie elsewhere"
AGREE_AFTER = 0.2  # total variation of the estimates before and after alignment, which differ more by chance


@dataclass(frozen=True)
class Diagnosis:
    """What kind of shift lies between two domains.

    Attributes:
        kind: "none", "covariate", "label" or "both".
        certain: whether the class shares could be checked; False: the kind is the likeliest one.
        size: MMD of the domains.
        a_distance: proxy A-distance of the domains.
        shares: class shares.
        after_alignment: distance of the shares estimated after alignment; None: not estimated.
        left: A-distance with the class shares made equal; None: not needed.
        new_classes: target items far from every class; not measured where the domains differ much.
        texts: words and tokens of both domains; None for other items.
        from_summary: whether the source items were drawn from a summary.
    """

    kind: Kind
    certain: bool
    size: Discrepancy
    a_distance: Interval
    shares: ClassShares
    after_alignment: Interval | None
    left: Interval | None
    new_classes: NewClasses
    texts: Texts | None = None
    from_summary: bool = False

    @property
    def unread(self) -> bool:
        """Whether the encoder hardly reads one of the domains: then no adaptation of its features can be trusted."""
        return self.texts is not None and (self.texts.hardly_read or self.texts.source_hardly_read)

    @property
    def has_label_shift(self) -> bool:
        """Whether the classes have other shares in the target, at least possibly."""
        return self.kind in ("label", "both")

    def to_json(self) -> dict[str, Any]:
        """The same as a dictionary that JSON can hold."""
        after = self.after_alignment
        return {
            "kind": self.kind,
            "certain": self.certain,
            "unread": self.unread,
            "mmd": self.size.to_json(),
            "a_distance": self.a_distance.to_json(),
            "shares": self.shares.to_json(),
            "after_alignment": None if after is None else after.to_json(),
            "left": None if self.left is None else self.left.to_json(),
            "new_classes": self.new_classes.to_json(),
            "texts": None if self.texts is None else self.texts.to_json(),
            "from_summary": self.from_summary,
        }


def diagnose(
    domains: Domains,
    estimates: Mapping[str, Shares],
    after_alignment: Shares | None = None,
    groups_M: NDArray[Any] | None = None,
    texts: Texts | None = None,
    *,
    from_summary: bool = False,
) -> Diagnosis:
    """Find out which kind of shift lies between two domains.

    Args:
        domains: both, with raw features; `shares_C` is ignored.
        estimates: class shares of the target by at least two ways ("em", "bbse") on features as they are; the first
            is believed, the others check it.
        after_alignment: the same by the first way with each domain standardised; None: not estimated.
        groups_M: what belongs together in the target, of shape (M,); None: every item is on its own.
        texts: words and tokens of both domains; None for other items.
        from_summary: whether the source items were drawn from a summary.
    """
    domains = replace(domains, shares_C=None)
    scaled = _scaled(domains)
    given: dict[str, Any] = {"groups_M": groups_M, "seed": domains.seed}
    size = discrepancy(scaled.source_ND, scaled.target_MD, groups_N=domains.groups_N, **given)
    distance = a_distance(scaled.source_ND, scaled.target_MD, groups_N=domains.groups_N, **given)
    first = next(iter(estimates.values()))
    shares = compare_shares(domains.source_shares_C, estimates, len(domains.target_MD))
    after = None if after_alignment is None else share_distance(domains.source_shares_C, after_alignment)
    left = _left(scaled, np.asarray(first.value_C), given) if float(shares.distance) > STRONG else None
    confirmed = (
        after_alignment is not None
        and after is not None
        and (after.low or 0.0) > AGREE
        and total_variation(first.value_C, after_alignment.value_C) <= AGREE_AFTER
    )
    kind, certain = _kind(size, distance, shares, left, confirmed, texts)
    new = _unknown(_DRAWN) if from_summary else _new(domains, distance, groups_M)
    return Diagnosis(kind, certain, size, distance, shares, after, left, new, texts, from_summary)


def _scaled(domains: Domains) -> Domains:
    """Both domains with the mean and the deviation of all items together, so that no feature rules the distances."""
    both = standardiser(np.concatenate([domains.source_ND, domains.target_MD]))
    return domains.with_features(both.apply(domains.source_ND), both.apply(domains.target_MD))


def _new(domains: Domains, distance: Interval, groups_M: NDArray[Any] | None) -> NewClasses:
    if (distance.value or 0.0) <= MOST_SHIFT:
        return new_classes(domains, groups_M)
    return _unknown("the domains differ too much to tell new classes from changed ones")


def _unknown(why: str) -> NewClasses:
    return NewClasses(Interval(None, why=why), Interval(None, why=why))


def _left(scaled: Domains, shares_C: Float, given: Mapping[str, Any]) -> Interval:
    """The A-distance with source items that have the estimated class shares."""
    drawn = positions_with_shares(scaled.codes_N, shares_C, np.random.default_rng(scaled.seed))
    if len(drawn) < LEAST_ITEMS:
        return Interval(None, why="too few source items of the classes that the target seems to have")
    groups = None if scaled.groups_N is None else scaled.groups_N[drawn]
    return a_distance(scaled.source_ND[drawn], scaled.target_MD, groups_N=groups, **given)


def _kind(
    size: Discrepancy,
    distance: Interval,
    shares: ClassShares,
    left: Interval | None,
    confirmed: bool,
    texts: Texts | None,
) -> tuple[Kind, bool]:
    """The kind of shift, and whether it could be checked."""
    there = (distance.low or 0.0) > SMALL or (size.p_value is not None and size.p_value <= CLEAR)
    unknown = shares.is_strong or (shares.distance.high or 0.0) > UNKNOWN
    if not there:  # of few items, estimated shares alone differ too often between domains that are the same
        return "none", not unknown
    explained = left is not None and left.value is not None and left.value <= LITTLE_LEFT
    if explained and (shares.is_strong or shares.agree):
        return "label", shares.is_strong
    if shares.is_strong and shares.agree and confirmed:
        return "both", True
    if _cannot_be_checked(distance, shares, texts):
        return "both", False
    return "covariate", not unknown


def _cannot_be_checked(distance: Interval, shares: ClassShares, texts: Texts | None) -> bool:
    """Whether a label shift has to be reckoned with between texts of two languages.

    They share no words, so their class shares have to be known to be alike. Of other items only features tell that
    nothing overlaps, and these say so of most shifts: nothing overlapped between speakers whose classes were balanced.
    """
    if texts is None:
        return False
    apart = float(distance) >= NO_OVERLAP and texts.known_tokens < OWN_WORDS
    return apart and (shares.distance.high is None or shares.distance.high > STRONG)
