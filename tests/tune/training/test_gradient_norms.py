"""The choice of a stage by relative gradient norms: its values, its guards, and nothing left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from tune_networks import bits, small_loop

from headstart.errors import OptionError, TrainingError
from headstart.tune.loop.loop import Loop
from headstart.tune.policies.policy import Policy
from headstart.tune.training.gradient_norms import (
    RGN,
    by_stage,
    choose_stage,
    relative_gradient_norms,
    with_stage_chosen,
)


def choose_in(loop: Loop) -> RGN:
    """The choice for three classes."""
    return choose_stage(loop, random_loss=float(np.log(3)))


@pytest.mark.real
def test_the_norms_are_those_of_the_authors_code(shared: Path) -> None:
    inputs = np.load(shared / "golden" / "finetune_unsup_inputs.npz")
    golden = json.loads((shared / "golden" / "finetune_unsup.json").read_text())["auto_RGN"]
    network = nn.ModuleDict({"l1": nn.Linear(4, 6), "bn1": nn.BatchNorm1d(6), "l2": nn.Linear(6, 3)}).double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.from_numpy(inputs[f"mlp_{name}"]))
    network.eval()
    x, y = torch.from_numpy(inputs["rgn_x"]), torch.from_numpy(inputs["rgn_y"])

    def backward_passes() -> Iterator[None]:
        for start in range(0, 40, 8):
            network.zero_grad()
            hidden = torch.relu(network["bn1"](network["l1"](x[start : start + 8])))
            functional.cross_entropy(network["l2"](hidden), y[start : start + 8]).backward()
            yield

    parameters = {n: p for n, p in network.named_parameters() if "bn" not in n}
    values, notes = relative_gradient_norms(parameters, backward_passes())
    assert not notes and values.keys() == golden["raw"].keys()
    for name, value in values.items():
        assert value == pytest.approx(golden["raw"][name], rel=1e-6)
        assert value / max(values.values()) == pytest.approx(golden["lr_multiplier"][name], rel=1e-6)


def two_tensors() -> dict[str, nn.Parameter]:
    return {"a.weight": nn.Parameter(torch.ones(2, 3)), "b.weight": nn.Parameter(torch.ones(3, 2))}


def passes(parameters: dict[str, nn.Parameter], *gradients: dict[str, float]) -> Iterator[None]:
    for values in gradients:
        for name, value in values.items():
            parameters[name].grad = torch.full_like(parameters[name], value)
        yield


def test_a_tensor_of_zeros_is_not_counted_and_named() -> None:
    parameters = two_tensors()
    parameters["b.weight"].data.zero_()
    values, notes = relative_gradient_norms(
        parameters, passes(parameters, {"a.weight": 0.5, "b.weight": 9.0})
    )
    assert values == {"a.weight": pytest.approx(0.5), "b.weight": None}
    assert "b.weight" in notes[0]
    found = by_stage(values, parameters, lambda name: name[0], ["a", "b"], notes)
    assert found.chosen == "a" and found.values[1] is None and "b" in found.notes[-1]
    assert "<- trained" in found.table().splitlines()[1]


def test_gradients_that_are_not_finite_are_left_out_or_refused() -> None:
    parameters = two_tensors()
    good = {"a.weight": 0.5, "b.weight": 0.25}
    bad = {"a.weight": float("nan"), "b.weight": 1.0}
    values, notes = relative_gradient_norms(parameters, passes(parameters, bad, good))
    assert values["a.weight"] == pytest.approx(0.5) and "1 of 2 batches" in notes[0]
    with pytest.raises(TrainingError, match="only:STAGE"):
        relative_gradient_norms(parameters, passes(parameters, bad))


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=6), st.floats(0.01, 100))
@settings(deadline=None)
def test_scaling_weights_and_gradients_alike_changes_nothing(ratios: list[float], scale: float) -> None:
    parameters = {f"s{i}.w": nn.Parameter(torch.ones(2, 2) * scale) for i in range(len(ratios))}
    gradients = {f"s{i}.w": ratio * scale for i, ratio in enumerate(ratios)}
    values, _ = relative_gradient_norms(parameters, passes(parameters, gradients))
    stages = [f"s{i}" for i in range(len(ratios))]
    found = by_stage(values, parameters, lambda name: name.split(".")[0], stages)
    np.testing.assert_allclose(found.values, ratios, rtol=1e-4)
    assert max(ratios) == pytest.approx(ratios[stages.index(found.chosen)])


def test_vectors_are_not_counted() -> None:
    parameters = {"a.bias": nn.Parameter(torch.ones(3)), "a.token": nn.Parameter(torch.ones(1, 1, 3))}
    with pytest.raises(TrainingError, match="weight matrix"):
        by_stage({"a.bias": 1.0, "a.token": 1.0}, parameters, lambda name: "a", ["a"])


def test_a_tiny_tensor_does_not_speak_for_its_stage() -> None:
    parameters = {"a.words": nn.Parameter(torch.ones(100, 8)), "a.types": nn.Parameter(torch.ones(2, 2))}
    parameters["b.weight"] = nn.Parameter(torch.ones(4, 4))
    values = {"a.words": 0.1, "a.types": 50.0, "b.weight": 0.2}
    found = by_stage(values, parameters, lambda name: name[0], ["a", "b"])
    assert found.chosen == "b" and found.values == (0.1, 0.2)


def test_a_training_is_measured_twice_the_same_and_left_as_it_was() -> None:
    loop, untouched = small_loop(0), small_loop(0)
    first, again = choose_in(loop), choose_in(loop)
    assert first == again == choose_in(small_loop(0))
    assert first.stages == loop.freeze.stages and first.chosen in first.stages
    assert json.loads(json.dumps(first.to_json()))["chosen"] == first.chosen
    for each in (loop, untouched):
        each.run()
    one, two = bits(loop), bits(untouched)
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_a_head_of_chance_is_refused_or_doubted() -> None:
    with pytest.raises(OptionError, match="head_start: probe"):
        choose_in(small_loop(0, head_start="random"))
    with pytest.raises(OptionError, match="is frozen"):
        choose_in(small_loop(2))
    loop = small_loop(0)
    loop.objective.head.linear.weight.data.mul_(100).neg_()
    assert any("no better than chance" in note for note in choose_in(loop).notes)


def test_only_auto_becomes_the_chosen_stage(capsys: pytest.CaptureFixture[str]) -> None:
    stages = small_loop(0).freeze.stages
    policy, found = with_stage_chosen(
        Policy.parse("only:auto", stages), lambda policy: choose_in(small_loop(0))
    )
    assert found is not None and policy.trained == (found.chosen,)
    other = Policy.parse("first:1", stages)
    assert with_stage_chosen(other, lambda policy: choose_in(small_loop(0))) == (
        other,
        None,
    )
