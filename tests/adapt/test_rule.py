"""The safe rule: source only stays unless a candidate is clearly ahead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies

from headstart.adapt.rule import decide
from headstart.adapt.selectors import SELECTORS, Measured

CIRCULAR, NUCLEAR = SELECTORS["circular"], SELECTORS["nuclear"]
NAMES = ("source only", "CORAL", "infomax")


def shares(*right: float, n_items: int = 200, seed: int = 0) -> list[Measured]:
    """Items of which a share is right, drawn apart for each method."""
    rng = np.random.default_rng(seed)
    return [
        Measured.mean_of(rng.permutation(np.arange(n_items) < share * n_items).astype(float))
        for share in right
    ]


def plain(*scores: float) -> list[Measured]:
    return [Measured(score) for score in scores]


def test_a_clear_lead_is_taken() -> None:
    decision = decide(CIRCULAR, NAMES, shares(0.5, 0.9, 0.7), margin=0.02)
    assert (decision.index, decision.best, decision.replaces) == (1, 1, True)
    assert (
        decision.lead == pytest.approx(0.4) and decision.chance is not None and 0.02 < decision.chance < 0.2
    )
    assert decision.reason.startswith(
        "CORAL takes the place of source only: its circular validation is 40.0 points higher, more than the margin "
        "(2.0 points) and than chance explains ("
    )


def test_a_lead_within_the_margin_is_not() -> None:
    decision = decide(NUCLEAR, NAMES, plain(0.5, 0.51, 0.4), margin=0.02)
    assert (decision.index, decision.best, decision.chance) == (0, 1, None)
    assert decision.reason == (
        "source only is kept: the best other method, CORAL, has a nuclear norm of the predictions only 0.01 higher, "
        "not more than the margin (0.02)."
    )


def test_a_lead_within_chance_is_not() -> None:
    decision = decide(CIRCULAR, NAMES, shares(0.50, 0.56, 0.5), margin=0.0)
    assert decision.index == 0 and decision.best == 1
    assert "not more than chance explains" in decision.reason


def test_no_lead() -> None:
    assert decide(NUCLEAR, NAMES, plain(0.5, 0.4, 0.4), margin=0.0).reason == (
        "source only is kept: no other method has a higher nuclear norm of the predictions."
    )


def test_another_selector_can_refuse_the_best_and_leave_the_second() -> None:
    measured = plain(0.5, 0.9, 0.7)
    others = {"deep embedded validation": (0.6, 0.5, 0.6)}
    assert decide(NUCLEAR, NAMES, measured, margin=0.0, others=others).index == 2
    refused = decide(
        NUCLEAR, NAMES, measured, margin=0.0, others={"deep embedded validation": (0.6, 0.5, np.nan)}
    )
    assert refused.index == 0
    assert refused.reason == (
        "source only is kept: CORAL has a nuclear norm of the predictions 0.4 higher, but deep embedded validation "
        "puts it behind."
    )


def test_the_best_by_chance_can_leave_the_second() -> None:
    """The first candidate differs on many items, the second on few, all of them better."""
    rng = np.random.default_rng(0)
    base = np.repeat([0.0, 1.0], 100)
    noisy, sure = base.copy(), base.copy()
    noisy[rng.choice(100, 80, replace=False)] = 1
    noisy[100 + rng.choice(100, 62, replace=False)] = 0
    sure[:16] = 1
    decision = decide(CIRCULAR, NAMES, [Measured.mean_of(x) for x in (base, noisy, sure)], margin=0.0)
    assert decision.best == 1 and decision.index == 2


def test_units_count_as_one() -> None:
    measured = shares(0.5, 0.7)
    assert decide(CIRCULAR, NAMES[:2], measured, margin=0.0).index == 1
    few = decide(CIRCULAR, NAMES[:2], measured, margin=0.0, units=np.arange(200) % 4)
    assert few.index == 0 and "too few independent source items" in few.reason


def test_scores_that_are_not_finite_are_never_taken() -> None:
    assert decide(NUCLEAR, NAMES, plain(0.5, np.nan, 0.8), margin=0.0).index == 2
    nothing = decide(NUCLEAR, NAMES, plain(0.5, np.nan, np.inf), margin=0.0)
    assert (nothing.index, nothing.reason) == (0, "source only is kept: no other method could be scored.")
    assert decide(NUCLEAR, NAMES[:1], plain(0.5), margin=0.0).index == 0


@given(strategies.lists(strategies.floats(0, 1), min_size=1, max_size=6), strategies.floats(0, 0.5))
def test_without_items_it_is_the_best_past_the_margin(scores: list[float], margin: float) -> None:
    decision = decide(NUCLEAR, [str(k) for k in range(len(scores))], plain(*scores), margin=margin)
    ahead = [k for k in range(1, len(scores)) if scores[k] - scores[0] > margin]
    assert decision.index == (max(ahead, key=lambda k: scores[k] - scores[0]) if ahead else 0)
    assert decision.replaces == bool(ahead)


def test_equal_candidates_are_taken_by_chance_in_five_of_a_hundred() -> None:
    rng = np.random.default_rng(0)
    n_taken = 0
    for _ in range(100):
        items = (rng.random((100, 5)) < 0.7).astype(float)
        n_taken += decide(
            CIRCULAR, "abcde", [Measured.mean_of(column) for column in items.T], margin=0.0
        ).replaces
    assert 0 < n_taken < 12
