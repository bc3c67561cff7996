"""What a race tries."""

from __future__ import annotations

import pytest

from headstart.tune import Candidate, Policy, from_scratch, suggest_candidates, suggest_cuts

STAGES = ("stem", "a", "b", "c", "d")


@pytest.mark.parametrize(
    ("profile", "cuts"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.9], [4, 2]),
        ([0.1, 0.9, 0.3, 0.4, 0.5], [2, 1]),
        ([0.9, 0.2, 0.3, 0.4, 0.5], [1]),
        ([0.5, 0.9, 0.9], [2, 1]),
        ([0.5, 0.6], [1]),
        ([0.5], []),
    ],
)
def test_cuts_follow_the_best_stage_of_the_profile(profile: list[float], cuts: list[int]) -> None:
    assert suggest_cuts(profile) == cuts


def test_the_field_is_the_cuts_all_stages_and_adapters() -> None:
    field = suggest_candidates([0.1, 0.2, 0.3, 0.4, 0.9], STAGES)
    assert [candidate.name for candidate in field] == ["first:4", "first:2", "none", "first:2,lora:8"]
    assert [candidate.name for candidate in suggest_candidates([0.5], ("stem",))] == ["none", "lora:8"]
    assert [candidate.name for candidate in suggest_candidates([], STAGES)] == ["none", "lora:8"]


def test_names_tell_the_rate_where_it_is_not_the_usual_one() -> None:
    plain = Candidate(Policy.parse("first:2", STAGES))
    assert (
        plain.at(3.0).name == "first:2 at 3x the rate" and plain.at(1 / 3).name == "first:2 at 0.33x the rate"
    )
    adapters = suggest_candidates([0.5], ("stem",))[1]
    assert adapters.at(3.0).name == "lora:8 at 3x the rate"
    scratch = from_scratch(STAGES)
    assert scratch.name == "scratch" and scratch.from_scratch and scratch.policy.cut == 0
