"""How the benchmark of rankings judges an order, and chooses a combination without the sets it is judged on."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.ranking.evaluate import Pool, Quality, left_out, mean, pools, quality
from benchmarks.ranking.sources import NAMES
from benchmarks.ranking.trained import SLICE
from benchmarks.ranking.trained import text as trained_table

TRUTH = np.array([0.5, 0.9, 0.8, 0.6])


def pool(family: str, **scores: list[float]) -> Pool:
    return Pool(family, family, "all", TRUTH, {name: np.array(values) for name, values in scores.items()})


def test_the_right_order_and_its_reverse() -> None:
    right, wrong = quality(pool("a"), TRUTH), quality(pool("a"), -TRUTH)
    assert right.tau == pytest.approx(1.0) and right.regret == 0.0
    assert wrong.tau == pytest.approx(-1.0) and wrong.regret == pytest.approx(40.0)


def test_a_shared_first_place_counts_its_mean() -> None:
    assert quality(pool("a"), np.array([0.0, 1.0, 1.0, 0.0])).regret == pytest.approx(5.0)
    assert quality(pool("a"), np.ones(4)).tau == 0.0


def test_families_count_the_same() -> None:
    found = [(pool("a"), Quality(1.0, 0.0)), (pool("b"), Quality(0.0, 2.0)), (pool("b"), Quality(0.5, 4.0))]
    assert mean(found) == Quality(0.625, 1.5)


def test_a_combination_is_chosen_on_the_other_families() -> None:
    """`first` is right on a and b and wrong on c, `second` the other way round."""
    right, wrong = TRUTH.tolist(), (-TRUTH).tolist()
    found = [
        pool("a", first=right, second=wrong),
        pool("b", first=right, second=wrong),
        pool("c", first=wrong, second=right),
    ]
    judged, chosen = left_out(found, ("first", "second"))
    assert chosen["c"] == ("first",)
    assert {each.family: result.tau for each, result in judged}["c"] == pytest.approx(-1.0)


def test_budgets_that_take_all_items_have_the_scores_of_all() -> None:
    def row(source: str, truth: float, few: float) -> dict[str, object]:
        scores = {"10": {"logme": [few, -few]}, "all": {"logme": [truth]}}
        return {
            "set": "s",
            "family": "f",
            "source": source,
            "parameters": 1,
            "truth": truth,
            "scores": scores,
        }

    found = pools([row("a", 0.5, 1.0), row("b", 0.7, 2.0), row("c", 0.6, 3.0)])
    by_budget = {(each.budget, index % 2): each.scores["logme"].tolist() for index, each in enumerate(found)}
    assert by_budget["10", 0] == [1.0, 2.0, 3.0] and by_budget["10", 1] == [-1.0, -2.0, -3.0]
    assert by_budget["50", 0] == by_budget["all", 1] == [0.5, 0.7, 0.6]


def test_orders_are_judged_by_what_training_gives() -> None:
    sources = NAMES["image"]
    rows = [
        {
            "set": name,
            "family": name,
            "modality": "image",
            "random": False,
            "depth": 1,
            "source": source,
            "parameters": place,
            "truth": 0.5 + place / 100,
            "scores": {"all": {"logme": [place], "probe_loss": [-place]}},
        }
        for name in SLICE
        for place, source in enumerate(sources)
    ]
    fitted = [
        {"set": row["set"], "source": row["source"], "accuracy": row["truth"] + 0.1, "policy": "none"}
        for row in rows
    ]
    told = trained_table(rows, fitted)
    assert "50.0, 60.0 (none)" in told
    assert "| LogME | 1.000, 0.00 | 1.000, 0.00 | 1.000, 0.00 |" in told
    assert "| cross-validated loss | -1.000, 6.00 |" in told
    assert "head alone | 1.000, 0.00 |" in told
