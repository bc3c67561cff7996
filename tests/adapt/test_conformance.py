"""Every alignment and learner passes its suite, and the suites fail where one is wrong."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from headstart.adapt.affine import Affine
from headstart.adapt.alignments import ALIGNMENTS, Alignment
from headstart.adapt.domains import Domains
from headstart.adapt.learners import LEARNERS, Learner
from headstart.adapt.method import Method
from headstart.testing import check_alignment, check_learner, check_method

# the shifts that each makes good; others make good that of features moved and scaled, or between the classes
OF_ALIGNMENT = {
    "none": (),
    "coral": ("scale", "mixing"),
    "linear-ot": ("scale", "mixing"),
    "class-ot": ("scale", "mixing"),
}
OF_LEARNER: dict[str, tuple[str, ...]] = {"logistic": ()}
STANDARDISE = ALIGNMENTS["standardise"]


@pytest.mark.parametrize("alignment", ALIGNMENTS.values(), ids=lambda each: each.name)
def test_every_alignment_passes(alignment: Alignment) -> None:
    if alignment.name == "class-ot" and importlib.util.find_spec("ot") is None:
        pytest.skip("needs the extra: pip install 'headstart[adapt]'")
    check_alignment(alignment, OF_ALIGNMENT.get(alignment.name, ("scale",)))


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=lambda each: each.name)
def test_every_learner_passes(learner: Learner) -> None:
    check_learner(learner, OF_LEARNER.get(learner.name, ("place",)))


def test_members_are_named_by_their_key() -> None:
    for family in (ALIGNMENTS, LEARNERS):
        assert all(name == member.name for name, member in family.items())


def changed(change: Callable[[Domains], tuple[Domains, Affine]]) -> Alignment:
    return replace(STANDARDISE, name="wrong", align=change)


def by_first_item(domains: Domains) -> tuple[Domains, Affine]:
    aligned, affine = STANDARDISE.align(domains)
    factor = 1 + 2 * abs(float(aligned.target_MD[0, 0]))
    mapped = aligned.with_features(aligned.source_ND / np.float32(factor), aligned.target_MD)
    return mapped, affine


def in_place(domains: Domains) -> tuple[Domains, Affine]:
    domains.target_MD[:] = domains.target_MD + 1
    return STANDARDISE.align(domains)


def by_chance(domains: Domains) -> tuple[Domains, Affine]:
    aligned, affine = STANDARDISE.align(domains)
    noise = np.random.default_rng().normal(size=aligned.source_ND.shape)
    return aligned.with_features(aligned.source_ND + noise.astype(np.float32), aligned.target_MD), affine


def dividing(domains: Domains) -> tuple[Domains, Affine]:
    x, t = domains.source_ND, domains.target_MD
    affine = Affine(t.mean(axis=0).astype(float), t.std(axis=0).astype(float))
    return domains.with_features((x - x.mean(axis=0)) / x.std(axis=0), affine.apply(t)), affine


def another_map(domains: Domains) -> tuple[Domains, Affine]:
    aligned, affine = STANDARDISE.align(domains)
    return aligned, Affine(affine.shift + 1, affine.scale)


def without_weights(domains: Domains) -> tuple[Domains, Affine]:
    aligned, affine = STANDARDISE.align(replace(domains, shares_C=None))
    return replace(aligned, shares_C=domains.shares_C), affine


def another_penalty(domains: Domains) -> tuple[Domains, Affine]:
    aligned, affine = STANDARDISE.align(domains)
    return replace(aligned, penalty=3.0), affine


def failing(domains: Domains) -> tuple[Domains, Affine]:
    return STANDARDISE.align(replace(domains, n_classes=1 // 0))


def towards_nothing(domains: Domains) -> tuple[Domains, Affine]:
    aligned, affine = STANDARDISE.align(domains)
    return aligned.with_features(-aligned.source_ND, aligned.target_MD), affine


@pytest.mark.parametrize(
    "change, message",
    [
        (by_first_item, "with the target items in another order"),
        (in_place, "it changes the features or codes|it is another classifier"),
        (by_chance, "it is another classifier"),
        (dividing, "it warns|not finite"),
        (another_map, "the target by the map"),
        (without_weights, "class shares that differ and are known"),
        (towards_nothing, "shift of scale"),
        (failing, "ZeroDivisionError: .* by zero"),
        (another_penalty, "more than features changed"),
    ],
)
def test_what_is_wrong_is_named(change: Callable[[Domains], tuple[Domains, Affine]], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_alignment(changed(change))


def test_a_learner_that_learns_no_class_by_its_code_is_found() -> None:
    def learn(domains: Domains) -> tuple[np.ndarray, np.ndarray]:
        weight, bias = LEARNERS["logistic"].learn(domains)
        return weight, bias + np.linspace(0, 3, len(bias))

    with pytest.raises(AssertionError, match="with other codes of the classes"):
        check_learner(Learner("wrong", "prefers late classes", learn), ())


def test_a_shift_that_does_not_exist_is_named() -> None:
    with pytest.raises(AssertionError, match="there is no shift turning"):
        check_method(Method(), ("turning",))
