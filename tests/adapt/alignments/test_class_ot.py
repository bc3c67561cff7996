"""Class-regularised transport agrees with POT's own solver; items move to places of the target, classes together."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

from headstart.adapt.alignments import class_ot
from headstart.adapt.alignments.class_ot import align, plan, scaled_cost
from headstart.adapt.domains import Domains
from headstart.errors import OptionError

needs_pot = pytest.mark.skipif(
    importlib.util.find_spec("ot") is None, reason="needs the extra: pip install 'headstart[adapt]'"
)


@needs_pot
def test_plan_is_that_of_pot(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sinkhorn_lpl1_mm` starts anew in each round; the same number of rounds gives the same plan."""
    import ot

    monkeypatch.setattr(class_ot, "STEPS", 2_000)
    monkeypatch.setattr(class_ot, "TOLERANCE", 1e-12)
    random = np.random.default_rng(0)
    source, target, codes = random.normal(size=(30, 3)), random.normal(size=(20, 3)), np.arange(30) % 3
    source[:, 0] += codes
    cost, weights = scaled_cost(source, target), 0.5 + random.random(30)
    found = plan(cost, codes, weights, ot)
    expected = ot.da.sinkhorn_lpl1_mm(
        20 * weights / weights.sum(),
        codes,
        np.ones(20),
        cost,
        class_ot.ENTROPY,
        class_ot.CLASSES,
        numItermax=class_ot.ROUNDS,
        numInnerItermax=20_000,
        stopInnerThr=1e-12,
    )
    np.testing.assert_allclose(found, expected, atol=1e-8)
    np.testing.assert_allclose(found.sum(axis=1), 20 * weights / weights.sum(), rtol=1e-9)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-6)


@needs_pot
def test_classes_get_items_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the class term a target item gets its mass from fewer classes."""
    import ot

    random = np.random.default_rng(0)
    codes = np.arange(60) % 2
    cost = scaled_cost(random.normal(size=(60, 2)) + codes[:, None], random.normal(size=(40, 2)))

    def purity() -> float:
        found = plan(cost, codes, np.ones(60), ot)
        by_class = np.stack([found[codes == code].sum(axis=0) for code in range(2)])
        return float(by_class.max(axis=0).sum() / by_class.sum())

    with_term = purity()
    monkeypatch.setattr(class_ot, "CLASSES", 0.0)
    assert with_term > purity() + 0.03


@needs_pot
def test_items_lie_among_those_of_the_target(moved: Domains) -> None:
    aligned, affine = align(moved)
    low, high = aligned.target_MD.min(axis=0), aligned.target_MD.max(axis=0)
    assert (aligned.source_ND >= low - 1e-5).all() and (aligned.source_ND <= high + 1e-5).all()
    np.testing.assert_allclose(affine.apply(moved.target_MD), aligned.target_MD, atol=1e-6)


@needs_pot
def test_a_class_that_the_target_lacks_takes_no_place(moved: Domains) -> None:
    shares = np.array([0.5, 0.5, 0.0])
    aligned, _ = align(Domains(moved.source_ND, moved.codes_N, moved.target_MD, 3, shares_C=shares))
    assert np.isfinite(aligned.source_ND).all()
    kept = aligned.source_ND[moved.codes_N < 2]
    np.testing.assert_allclose(kept.mean(axis=0), 0, atol=0.05)  # they cover the whole target


@needs_pot
def test_of_many_items_a_part_makes_the_plan(moved: Domains, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = align(moved)
    monkeypatch.setattr(class_ot, "MOST_ITEMS", 100)
    part, _ = align(moved)
    assert np.isfinite(part.source_ND).all() and part.source_ND.shape == whole.source_ND.shape
    assert np.abs(part.source_ND - whole.source_ND).mean() < 0.5 * np.abs(whole.source_ND).mean()


def test_without_the_extra_the_line_that_installs_it_is_told(
    moved: Domains, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(OptionError, match=r"pip install 'headstart\[adapt\]'"):
        align(moved)
