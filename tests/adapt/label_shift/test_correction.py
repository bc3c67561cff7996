"""The correction part of a method."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.adapt import Domains, Method
from headstart.adapt.label_shift.correction import CORRECTIONS
from headstart.adapt.label_shift.rebalanced import balance
from headstart.errors import OptionError
from shifted_domains import shifted


def right(method: str, domains: Domains, truth: np.ndarray) -> float:
    return float((Method.parse(method).fit(domains).logits(domains.target_MD).argmax(axis=1) == truth).mean())


def shares_by(name: str, domains: Domains) -> np.ndarray:
    shares = CORRECTIONS[name].correct(domains, lambda same: same, Method().fit).shares_C
    assert shares is not None
    return shares


SHIFT = {"shares": (0.6, 0.3, 0.1), "target_shares": (0.05, 0.15, 0.8), "distance": 1.2}


@pytest.mark.parametrize("name", ["label-shift", "bbse"])
def test_label_shift_is_corrected(name: str) -> None:
    domains, truth = shifted(600, **SHIFT)  # type: ignore[arg-type]
    shares = shares_by(name, domains)
    assert np.abs(shares - np.array(SHIFT["target_shares"])).max() < 0.12
    assert right(name, domains, truth) > right("none", domains, truth) + 0.1


@pytest.mark.parametrize("name", ["label-shift", "bbse"])
def test_an_alignment_does_not_take_a_difference_in_shares_for_one_in_content(name: str) -> None:
    domains, truth = shifted(600, shares=(0.5, 0.3, 0.2), target_shares=(0.15, 0.25, 0.6))
    assert right(f"standardise+{name}", domains, truth) > right("standardise", domains, truth) + 0.05


def test_without_a_shift_nothing_is_lost() -> None:
    domains, truth = shifted(600, distance=1.5)
    for name in ("label-shift", "bbse"):
        assert right(name, domains, truth) > right("none", domains, truth) - 0.015


def test_balanced_gives_classes_equal_weight() -> None:
    domains, _ = shifted(300, shares=(0.9, 0.05, 0.05), distance=1.0)
    assert np.allclose(shares_by("balanced", domains), 1 / 3)
    found = [
        Method.parse(text).fit(domains).logits(domains.source_ND).argmax(axis=1)
        for text in ("none", "balanced")
    ]
    rare = domains.codes_N > 0
    recalls = [(predicted[rare] == domains.codes_N[rare]).mean() for predicted in found]
    assert recalls[1] > recalls[0] + 0.2
    absent = Domains(domains.source_ND, domains.codes_N, domains.target_MD, 4)
    assert np.allclose(shares_by("balanced", absent), [1 / 3, 1 / 3, 1 / 3, 0])


@pytest.mark.parametrize("name", ["label-shift", "bbse"])
def test_too_few_items_leave_the_shares_of_the_source(name: str) -> None:
    x = np.eye(2, 3, dtype=np.float32)
    few = Domains(x, np.array([0, 1]), x[:1], 2)
    assert np.allclose(shares_by(name, few), 0.5)
    domains, _ = shifted(90)
    two = Domains(domains.source_ND, domains.codes_N, domains.target_MD[:2], 3)
    assert np.abs(shares_by(name, two) - two.source_shares_C).max() < 0.45


def test_texts() -> None:
    method = Method.parse("standardise+infomax+bbse")
    assert method.name == "standardise+infomax+bbse"
    assert method.label.endswith(", for class shares estimated by BBSE")
    assert Method.parse("balanced").name == "balanced"
    assert Method.parse("balanced").label == "source only, with classes of equal weight"
    assert Method.parse("label-shift+standardise").name == "standardise+label-shift"
    with pytest.raises(OptionError, match="one correction"):
        Method.parse("bbse+balanced")
    with pytest.raises(OptionError, match=r"[Dd]id you mean"):
        Method.parse("label-shft")


def test_weighted_items_have_the_shares_of_the_source() -> None:
    predicted = np.eye(3)[np.repeat([0, 1, 2], [70, 20, 10])]
    source = np.array([0.2, 0.3, 0.5])
    shares, weights = balance(predicted, source)
    assert weights.mean() == pytest.approx(1)
    weighted = (weights @ predicted) / weights.sum()
    assert np.abs(weighted - source).max() < np.abs(predicted.mean(axis=0) - source).max() / 10
    assert shares.sum() == pytest.approx(1)
    assert shares == pytest.approx((predicted.sum(axis=0) + 3 * source) / 103)


def test_a_class_that_the_source_lacks_gets_no_weight() -> None:
    shares, weights = balance(np.eye(3)[[0, 1, 2, 2]], np.array([0.5, 0.5, 0.0]))
    assert weights[2:] == pytest.approx(0) and shares[2] > 0
    _, weights = balance(np.eye(3)[[2, 2]], np.array([0.5, 0.5, 0.0]))
    assert weights == pytest.approx(1)


@pytest.mark.parametrize("learner", ["", "+infomax", "+mcc"])
def test_rebalanced_aligns_domains_whose_classes_have_other_shares(learner: str) -> None:
    domains, truth = shifted(600, shares=(1 / 3,) * 3, target_shares=(0.1, 0.1, 0.8), distance=2.0)
    plain, rebalanced = (right(f"standardise{learner}{end}", domains, truth) for end in ("", "+rebalanced"))
    assert rebalanced > plain + 0.1
    found = CORRECTIONS["rebalanced"].correct(
        domains, lambda same: same, Method.parse(f"standardise{learner}").fit
    )
    assert found.shares_C is not None
    assert found.shares_C[2] > 0.5  # of 0.8, from 0.33


def test_rebalanced_loses_little_where_the_shares_are_alike() -> None:
    domains, truth = shifted(600, distance=2.0)
    plain, rebalanced = (right(f"standardise+infomax{end}", domains, truth) for end in ("", "+rebalanced"))
    assert rebalanced > plain - 0.02
