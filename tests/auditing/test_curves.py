"""Verdicts and savings from values of held-out items, where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from headstart.auditing.cells import Cell
from headstart.auditing.curves import Held, curve, verdicts
from headstart.auditing.deciding import what_decides
from headstart.auditing.measuring import Method
from headstart.auditing.savings import saved
from headstart.auditing.work import Measured
from headstart.evidence.over_seeds import gain
from headstart.metrics import Units
from headstart.runs.audit import Role, Saved

SIZES = (20, 50, 100, 200)
N, R = 400, 5
HELD = Held(Units.of(None, N), "accuracy")


def method(
    name: str,
    role: Role,
    shares: Sequence[float],
    *,
    on_folds: float = 0.5,
    seconds: float = 1.0,
    n_judged: int = 100,
    seed: int = 0,
) -> Measured:
    """A method that is right with a given share of items for each number of labels."""
    rng = np.random.default_rng(seed)
    easy = rng.random(N)
    cells = {
        (size, draw): Cell(
            size,
            (np.clip(easy + rng.normal(0, 0.1, N), 0, 1) < share).astype(np.float32),
            on_folds,
            seconds * size / 100,
            n_judged,
        )
        for size, share in zip(SIZES, shares)
        for draw in range(R)
    }
    return Measured(Method(name, role, 0.0, "given"), cells)


def judged(transfer: Measured, *baselines: Measured) -> list[tuple[str, str]]:
    curves = {each.method.name: curve(each, SIZES, HELD) for each in baselines}
    return [(each.outcome, each.against) for each in verdicts(transfer, baselines, curves, SIZES, HELD)]


def test_positive_needs_to_be_better_than_every_baseline() -> None:
    transfer = method("source", "transfer", (0.6, 0.7, 0.8, 0.85))
    weak = method("classical", "classical", (0.5, 0.5, 0.5, 0.5), on_folds=0.9)
    equal = method("random", "random", (0.6, 0.7, 0.8, 0.85), on_folds=0.1)
    assert judged(transfer, weak) == [("positive", "classical")] * 4
    # The chosen baseline is beaten, another is as good: nothing is claimed.
    assert judged(transfer, weak, equal) == [("undecided", "classical")] * 4


def test_negative_is_against_the_baseline_that_is_best_on_training_items() -> None:
    transfer = method("source", "transfer", (0.5, 0.5, 0.5, 0.5))
    strong = method("classical", "classical", (0.7, 0.8, 0.8, 0.8), on_folds=0.8)
    assert judged(transfer, strong) == [("negative", "classical")] * 4
    lucky = method("scratch", "scratch", (0.4, 0.4, 0.4, 0.4), on_folds=0.9, n_judged=2)
    assert judged(transfer, strong, lucky)[0] == ("negative", "classical")  # 9 in 10 of two items say little


@pytest.mark.parametrize(
    ("ours", "bound", "between"),
    [
        ((0.5, 0.6, 0.7, 0.8), "", (40, 130)),
        ((0.75, 0.8, 0.85, 0.9), "at least", (20, 20)),
        ((0.3, 0.3, 0.4, 0.4), "not reached", (200, 200)),
    ],
)
def test_labels_saved_are_where_the_curve_meets_the_level(
    ours: Sequence[float], bound: str, between: tuple[float, float]
) -> None:
    transfer = method("source", "transfer", ours, seconds=2.0)
    other = method("classical", "classical", (0.4, 0.5, 0.55, 0.62))
    found = savings_of(transfer, other)
    assert found.bound == bound and found.n_labels == 200
    assert between[0] * 0.999 <= (found.n_transfer.value or 0) <= between[1] * 1.001
    if not bound:
        low, high = found.n_transfer.low, found.n_transfer.high
        assert low is not None and high is not None and low < 57 < high  # the level is met at 57 labels
        assert found.factor.value == pytest.approx(200 / (found.n_transfer.value or 0))
        assert found.time_factor.value == pytest.approx(found.factor.value / 2, rel=0.25)


def test_labels_saved_cover_the_truth() -> None:
    hits = 0
    for seed in range(60):
        transfer = method("source", "transfer", (0.5, 0.6, 0.7, 0.8), seed=seed)
        other = method("classical", "classical", (0.4, 0.5, 0.55, 0.62), seed=seed)
        found = savings_of(transfer, other).n_transfer
        truth = 57.4  # where 0.6 + 0.1 log2(n / 50) is 0.62
        assert found.low is not None and found.high is not None
        hits += found.low <= truth <= found.high
    assert hits >= 53


def savings_of(transfer: Measured, other: Measured) -> Saved:
    found = saved(transfer, other, (curve(transfer, SIZES, HELD), curve(other, SIZES, HELD)), SIZES, HELD)
    assert found is not None
    return found


def test_what_would_decide_it_is_items_or_seeds() -> None:
    rng = np.random.default_rng(0)
    units = Units.of(None, N)

    def needs(of_items: float, of_seeds: float, true: float) -> str:
        seeds = of_seeds * rng.normal(size=(R, 1))
        values = (rng.random((R, N)) < 0.5 + seeds).astype(float)
        own = values + true + of_items * rng.normal(size=(1, N))
        gains: Mapping[str, object] = {"classical": gain(own, values, units, "log_loss")}
        return what_decides(gains, "classical", R, N)  # type: ignore[arg-type]

    assert "held-out items" in needs(1.0, 0.0, -0.06)
    same = gain(np.zeros((R, N)), np.zeros((R, N)), units, "accuracy")
    assert what_decides({"classical": same}, "classical", R, N).startswith("nothing")
