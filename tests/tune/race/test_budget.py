"""How many epochs fit: bounds that hold whichever candidates survive."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.tune.race.budget import SHARE, plan, rungs, survivors, worst_case
from headstart.tune.race.costs import Cost


@pytest.mark.parametrize(("n", "expected"), [(1, [1]), (2, [1, 2]), (4, [1, 2, 4]), (10, [3, 5, 10])])
def test_rungs(n: int, expected: list[int]) -> None:
    assert rungs(n) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.floats(0.1, 50)), min_size=1, max_size=5),
    st.randoms(use_true_random=False),
)
def test_no_race_costs_more_than_the_worst_case(field: list[tuple[int, float]], random: object) -> None:
    epochs, costs = [n for n, _ in field], [Cost(seconds) for _, seconds in field]
    bound = worst_case(epochs, costs)
    for order in itertools.islice(itertools.permutations(range(len(field))), 24):
        left, total = list(order), 0.0
        for rung in range(3):
            for index in left:
                steps = rungs(epochs[index])
                if rung < len(steps):
                    total += costs[index].epoch_seconds * (steps[rung] - (steps[rung - 1] if rung else 0))
            left = left[: survivors(len(left))]
        assert total <= bound * (1 + 1e-9)


def test_places_are_given_in_order_and_epochs_are_halved_to_fit() -> None:
    costs = {"cheap": Cost(1.0), "dear": Cost(20.0), "never": Cost(500.0)}
    planned = plan(costs, 8, 100.0)
    assert planned["cheap"] == 8 and planned["dear"] == 4 and "never" not in planned
    assert worst_case([8, 4], [costs["cheap"], costs["dear"]]) <= SHARE * 100
    assert plan({"one": Cost(10.0)}, 4, 5.0) == {}


def test_only_the_first_may_have_less_than_half_of_its_epochs() -> None:
    assert plan({"one": Cost(20.0)}, 4, 25.0) == {"one": 1}
    assert plan({"cheap": Cost(1.0), "dear": Cost(20.0)}, 8, 90.0) == {"cheap": 8}


def test_half_of_an_odd_number_of_epochs_is_tried_too() -> None:
    assert plan({"a": Cost(5.8), "b": Cost(18.0)}, 5, 98.0) == {"a": 5, "b": 3}


def test_the_last_training_has_its_place_in_the_plan() -> None:
    alone, again = Cost(10.0), Cost(10.0, again_seconds=12.0, prepare_seconds=5.0)
    assert plan({"one": alone}, 8, 100.0) == {"one": 8}
    assert plan({"one": again}, 8, 100.0) == {"one": 2}
