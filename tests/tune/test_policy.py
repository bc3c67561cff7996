"""Freeze policies: what they say about a cut, and how wrong ones are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import OptionError
from headstart.tune import Policy

STAGES = ("embeddings", "layer.0", "layer.1", "layer.2")


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("all", 4),
        ("none", 0),
        ("first:0", 0),
        ("first:3", 3),
        ("first:4", 4),
        ("until:embeddings", 1),
        ("until:layer.2", 4),
        (" ALL ", 4),
    ],
)
def test_a_policy_is_a_cut(text: str, cut: int) -> None:
    policy = Policy.parse(text, STAGES)
    assert policy.cut == cut
    assert policy.frozen == STAGES[:cut]
    assert policy.trained == STAGES[cut:]


def test_auto_has_no_cut_yet() -> None:
    policy = Policy.parse("auto", STAGES)
    assert policy.cut is None
    with pytest.raises(OptionError, match="chooses one on validation"):
        policy.resolved_cut  # noqa: B018


@given(st.integers(0, 4))
def test_the_policy_at_a_cut_reads_back(cut: int) -> None:
    policy = Policy.at(cut, STAGES)
    assert policy.cut == cut
    assert Policy.parse(policy.text, STAGES) == policy


@given(st.integers().filter(lambda k: not 0 <= k <= 4))
def test_a_number_out_of_range_states_the_invariant_then_the_values(k: int) -> None:
    with pytest.raises(OptionError, match=rf"0 <= K <= n_stages must hold.*got K={k} and n_stages=4"):
        Policy.parse(f"first:{k}", STAGES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("al", "Did you mean 'all'"),
        ("frist:2", "Did you mean 'first'"),
        ("until:layer.9", "Did you mean 'layer."),
        ("first:layer.1", "Did you mean 'until:layer.1'"),
        ("first:two", "whole number, got 'two'"),
        ("first", "needs a value: first:K"),
        ("until:", "needs a value: until:STAGE"),
        ("all:3", "takes no value"),
        ("lora", "'lora' is not there yet; there are all, none, first:K"),
        ("lora:8", "'lora' is not there yet"),
        ("gradual", "'gradual' is not there yet"),
        ("lp-ft", "'lp-ft' is not there yet"),
        ("", "there is no freeze policy ''"),
    ],
)
def test_what_is_wrong_is_told(text: str, said: str) -> None:
    with pytest.raises(OptionError) as error:
        Policy.parse(text, STAGES)
    assert said in str(error.value)


def test_the_table_names_stage_parameters_and_fate() -> None:
    lines = Policy.parse("first:2", STAGES).table([1000, 20, 20, 20]).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["embeddings", "1,000", "frozen"],
        ["layer.0", "20", "frozen"],
        ["layer.1", "20", "trained"],
        ["layer.2", "20", "trained"],
        ["head", "trained"],
    ]
    assert "chosen on validation" in Policy.parse("auto", STAGES).table([1, 1, 1, 1])


def test_freezing_weights_of_chance_is_said() -> None:
    (said,) = Policy.parse("first:2", STAGES).cautions(pretrained=False)
    assert "embeddings to layer.0" in said and "never pretrained" in said
    assert Policy.parse("first:2", STAGES).cautions(pretrained=True) == []
    assert Policy.parse("none", STAGES).cautions(pretrained=False) == []
    assert Policy.parse("auto", STAGES).cautions(pretrained=False) == []


def test_a_policy_that_freezes_nothing_is_said() -> None:
    (said,) = Policy.parse("first:0", STAGES).cautions(pretrained=True)
    assert "freezes nothing" in said
