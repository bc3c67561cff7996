"""Every freeze policy passes its suite, and the suite fails where one is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from headstart.testing import check_policy
from headstart.testing.small_source import SmallNetwork
from headstart.tune.policies import freeze
from headstart.tune.policies.catalogue import CATALOGUE, PolicyKind
from headstart.tune.policies.selections import Selection
from headstart.tune.training import training

VALUES = {"[:RANK]": ":2", ":K": ":1", ":STAGE": ":middle"}


def written(kind: PolicyKind) -> str:
    usage = kind.usage
    for placeholder, value in VALUES.items():
        usage = usage.replace(placeholder, value)
    return usage


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.name)
def test_every_policy_passes(kind: PolicyKind) -> None:
    assert check_policy(written(kind)).kind is kind


def kernels(network: nn.Module) -> frozenset[str]:
    return frozenset(name for name, parameter in network.named_parameters() if parameter.ndim == 4)


NEW = PolicyKind(
    "kernels",
    "the weights of the convolutions",
    selection=Selection("kernels", kernels, 3.0, "kernels", "kernel"),
)


def test_a_new_policy_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "kernels", NEW)
    assert check_policy("kernels").selection is NEW.selection


@pytest.mark.parametrize(
    "changes, fault",
    [
        ({"trains": ""}, "are words for a reader"),
        ({"name": "kernel"}, "has another key in the catalogue"),
        ({"done": ""}, "are words for a reader"),
    ],
)
def test_what_is_wrong_in_a_row_is_named(
    changes: dict[str, Any], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CATALOGUE, "kernels", replace(NEW, **changes))
    with pytest.raises(AssertionError, match=fault):
        check_policy("kernels")


def test_a_frozen_stage_must_not_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    def follow(self: Any, mode: bool = True) -> nn.Module:
        for child in self.module.children():
            child.train(mode)
        self.module.training = mode
        return self.module

    monkeypatch.setattr(freeze._StayInEval, "__call__", follow)
    with pytest.raises(AssertionError, match=r"stem is frozen, and network\.train\(\) puts it"):
        check_policy("first:1")


def test_the_network_must_be_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freeze.Freeze, "release", lambda self: None)
    with pytest.raises(AssertionError, match="released: requires_grad of 'stem"):
        check_policy("first:1")


def test_a_frozen_tensor_must_keep_its_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = training.plain_state

    def nearly(network: nn.Module) -> Any:
        return {name: tensor + 1e-6 * name.startswith("stem.0") for name, tensor in plain(network).items()}

    monkeypatch.setattr(training, "plain_state", nearly)
    with pytest.raises(AssertionError, match=r"'first:1' changes \['stem\.0\.bias', 'stem\.0\.weight'\]"):
        check_policy("first:1")


def test_a_training_must_resume_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    forward, calls = SmallNetwork.forward, []

    def drifting(self: nn.Module, pixels: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return forward(self, pixels) * (1 + 1e-4 * len(calls))

    monkeypatch.setattr(SmallNetwork, "forward", drifting)
    with pytest.raises(AssertionError, match=r"'none': resumed after an epoch: '.*' differs by"):
        check_policy("none")
