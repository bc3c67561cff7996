"""Compiled blocks: the same results within rounding, on stored prefixes too, and they are given back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tune_networks import gradients
from worker import training_of

from headstart.errors import OptionError
from headstart.tune.speedups.compiled import Compiled, aided


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph is taken and its derivative made, as for real; the C++ is left out, which takes a minute."""
    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", lambda f, **options: compile_(f, backend="aot_eager", **options))


@pytest.mark.parametrize("case", ["text first:1 40", "image none 16"])
@pytest.mark.parametrize("checkpointed", [False, True])
def test_gradients_are_the_same(case: str, checkpointed: bool, tmp_path: Path) -> None:
    plain = gradients(training_of(tmp_path, case, batch_size=8).loop)
    training = training_of(tmp_path, case, batch_size=8)
    stages = training.policy.trained
    with aided(training.backbone, stages, compiled=True, checkpointed=checkpointed):
        fused = gradients(training.loop)
    for name, gradient in plain.items():
        torch.testing.assert_close(fused[name], gradient, rtol=1e-4, atol=1e-5)
    assert not any("forward" in module.__dict__ for module in training.backbone.module.modules())


def run(folder: Path, run_folder: Path, until_epoch: int | None = None, **settings: Any) -> dict[str, Any]:
    training = training_of(folder, "text first:1 24", run_folder, batch_size=8, **settings)
    training.compiled = True
    return dict(training.run(resume=True, until_epoch=until_epoch).state_dict)


def test_a_compiled_training_goes_on_and_is_close_to_a_plain_one(tmp_path: Path) -> None:
    whole = run(tmp_path, tmp_path / "whole")
    run(tmp_path, tmp_path / "paused", until_epoch=1)
    resumed = run(tmp_path, tmp_path / "paused")
    plain = training_of(tmp_path, "text first:1 24", batch_size=8).run().state_dict
    for name, tensor in whole.items():
        assert torch.equal(resumed[name], tensor)
        torch.testing.assert_close(plain[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("case", ["text first:1 24", "image none 16"])
def test_a_training_with_activation_checkpoints_ends_with_the_same_bits_and_goes_on(
    case: str, tmp_path: Path
) -> None:
    def result(run_folder: Path | None, until_epoch: int | None = None, **settings: Any) -> dict[str, Any]:
        training = training_of(tmp_path, case, run_folder, batch_size=8, **settings)
        return dict(training.run(resume=True, until_epoch=until_epoch).state_dict)

    plain = result(None)
    again = result(None, checkpointing=True)
    result(tmp_path / "run", until_epoch=1, checkpointing=True)
    resumed = result(tmp_path / "run", checkpointing=True)
    for name, tensor in plain.items():
        assert torch.equal(again[name], tensor), name
        assert torch.equal(resumed[name], tensor), name


def test_without_a_compiler_it_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    training = training_of(tmp_path, "text first:1 16")
    with pytest.raises(OptionError, match="needs a C\\+\\+ compiler and there is no 'no-such-compiler'"):
        Compiled(training.backbone, training.policy.trained)


def test_several_processes_do_not_compile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    training = training_of(tmp_path, "text first:1 16")
    monkeypatch.setattr("headstart.processes.count", lambda: 2)
    with (
        pytest.raises(OptionError, match="one process"),
        aided(training.backbone, training.policy.trained, compiled=True, checkpointed=False),
    ):
        pass
