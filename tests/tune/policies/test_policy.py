"""Freeze policies: the cut and what trains, and the errors for wrong ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import OptionError
from headstart.tune import Policy
from headstart.tune.adapters.kinds import Adapter
from headstart.tune.policies.policy import check_policy_text

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
        ("frist:2", "Did you mean 'first:2'"),
        ("last1", "Did you mean 'last:1'"),
        ("lst", "Did you mean 'last:K'"),
        ("until:layer.9", "Did you mean 'layer."),
        ("first:layer.1", "Did you mean 'until:layer.1'"),
        ("first:two", "whole number, got 'two'"),
        ("first", "needs a value: first:K"),
        ("until:", "needs a value: until:STAGE"),
        ("all:3", "takes no value"),
        ("last:9", "0 <= K <= n_stages must hold for last:K, got K=9"),
        ("last:layer.1", "Did you mean 'only:layer.1'"),
        ("only:layer.7", "Did you mean 'layer."),
        ("only", "needs a value: only:STAGE"),
        ("lora:0", "rank of lora:RANK must be a whole number of 1 or more, got '0'"),
        ("lora:x", "got 'x'"),
        ("ia3:4", "takes no value"),
        ("lorra", "Did you mean 'lora'"),
        ("gradul", "Did you mean 'gradual'"),
        ("first:1,last:1", "at most one cut"),
        ("norm,bias", "at most one cut"),
        ("first:1,only:layer.2", "already says what trains"),
        ("first:1,auto", "already says what trains"),
        ("all,norm", "nothing is left for 'norm' to train"),
        ("first:4,lora", "nothing is left for 'lora' to train"),
        ("", "there is no freeze policy ''"),
    ],
)
def test_the_error_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(OptionError) as error:
        Policy.parse(text, STAGES)
    assert said in str(error.value)


@pytest.mark.parametrize("text", ["frist:2", "", "first", "all:3", "first:1,last:1", "first:1,auto"])
def test_a_wrong_text_is_found_before_the_stages_are_known(text: str) -> None:
    with pytest.raises(OptionError):
        check_policy_text(text)


def test_a_text_that_some_backbone_fits_is_right() -> None:
    for text in ("first:99", "until:layer4", " First:1 , LoRA:4 ", "lpft", "only:auto", "auto"):
        check_policy_text(text)


@pytest.mark.parametrize(
    ("text", "cut", "trained", "what"),
    [
        ("last:1", 3, STAGES[3:], "whole"),
        ("last:0", 4, (), "whole"),
        ("only:layer.0", 1, ("layer.0",), "whole"),
        ("norm", 0, STAGES, "norm"),
        ("bias", 0, STAGES, "bias"),
        ("first:2,norm", 2, STAGES[2:], "norm"),
        ("lora", 0, STAGES, "adapter"),
        (" First:1 , LoRA:4 ", 1, STAGES[1:], "adapter"),
        ("last:2,ia3", 2, STAGES[2:], "adapter"),
        ("lp-ft", 0, STAGES, "whole"),
        ("until:layer.0,gradual", 2, STAGES[2:], "whole"),
    ],
)
def test_what_trains_after_which_cut(text: str, cut: int, trained: tuple[str, ...], what: str) -> None:
    policy = Policy.parse(text, STAGES)
    assert (policy.cut, policy.trained, policy.what) == (cut, trained, what)
    assert policy.from_probe == ("lp-ft" in text)
    assert Policy.parse(policy.text, STAGES) == policy
    if not policy.gradual:
        assert set(policy.frozen) | set(policy.trained) == set(STAGES)


def test_the_adapter_and_its_rank() -> None:
    assert Policy.parse("first:1,lora:4", STAGES).adapter == Adapter("lora", 4)
    assert Policy.parse("dora", STAGES).adapter == Adapter("dora", 8)
    assert Policy.parse("none", STAGES).adapter is None


def test_gradual_moves_its_cut_down_a_stage_an_epoch() -> None:
    policy = Policy.parse("gradual", STAGES)
    assert [policy.cut_at(epoch) for epoch in range(1, 7)] == [3, 2, 1, 0, 0, 0]
    assert policy.frozen == STAGES[:3]
    assert [Policy.parse("first:2,gradual", STAGES).cut_at(epoch) for epoch in (1, 2, 3)] == [3, 2, 2]


def test_the_surgical_choice_has_no_cut_yet() -> None:
    policy = Policy.parse("only:auto", STAGES)
    assert policy.cut is None and policy.trains_stages
    assert Policy.at(2, STAGES, "lora:8").text == "first:2,lora:8"
    assert Policy.at(0, STAGES, "lora:8").text == "lora:8"


def test_freezing_random_weights_is_reported() -> None:
    (said,) = Policy.parse("first:2", STAGES).cautions(pretrained=False)
    assert "embeddings to layer.0" in said and "never pretrained" in said
    assert Policy.parse("first:2", STAGES).cautions(pretrained=True) == []
    assert Policy.parse("none", STAGES).cautions(pretrained=False) == []
    assert Policy.parse("auto", STAGES).cautions(pretrained=False) == []


def test_a_policy_that_freezes_nothing_is_reported() -> None:
    (said,) = Policy.parse("first:0", STAGES).cautions(pretrained=True)
    assert "freezes nothing" in said
